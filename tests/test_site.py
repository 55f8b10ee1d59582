"""The site that `make site` built: its links, pictures and questions, and that it needs no network."""

import os
import re
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
from places import ROOT

import w2v

SITE = ROOT / "build" / "site"
PAGES = sorted(path for path in SITE.rglob("*.html") if "_static" not in path.parts)

if not PAGES and os.environ.get("CI") != "true":
    pytest.skip("make site has built none", allow_module_level=True)


class Page(HTMLParser):
    """What a page has that can be tested."""

    def __init__(self, path):
        super().__init__()
        self.path, self.links, self.loads, self.images = path, [], [], []
        self.ids, self.headings, self.texts, self._open = set(), [], {}, []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.ids |= {given.get("id"), given.get("name")}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
            self._open.append(given["href"])
        elif re.fullmatch("h[1-6]|title", tag):
            self.headings.append("")
            self._open.append(tag)
        elif tag == "img":
            self.images.append(given)
        if tag in ("script", "img", "iframe", "source") and "src" in given:
            self.loads.append(given["src"])
        elif tag == "link" and given.get("rel") in ("stylesheet", "preload", "icon", "modulepreload"):
            self.loads.append(given["href"])

    def handle_endtag(self, tag):
        if self._open and (tag == "a" or re.fullmatch("h[1-6]|title", tag)):
            self._open.pop()

    def handle_data(self, data):
        for name in self._open:
            if re.fullmatch("h[1-6]|title", name):
                self.headings[-1] += data
            else:
                self.texts[name] = self.texts.get(name, "") + data

    def leads_to(self, target):
        """The file and the anchor that a link of this page means."""
        path, _, anchor = unquote(target).partition("#")
        return (self.path.parent / path).resolve() if path else self.path, anchor


@pytest.fixture(scope="module")
def pages():
    return {path: Page(path) for path in PAGES}


def test_the_site_is_there():
    assert len(PAGES) > 40


def test_no_link_is_broken(pages):
    broken = []
    for page in pages.values():
        for target in {link for link in page.links if not re.match(r"\w+:", link)}:
            path, anchor = page.leads_to(target)
            if not path.exists() or (anchor and path in pages and anchor not in pages[path].ids):
                broken.append((page.path.relative_to(SITE).as_posix(), target))
    assert broken == []


def test_nothing_is_loaded_from_the_network(pages):
    loaded = {target for page in pages.values() for target in page.loads}
    assert [target for target in loaded if re.match(r"(\w+:)?//", target)] == []
    sheets = "".join(path.read_text(encoding="utf-8") for path in SITE.rglob("*.css"))
    assert re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", sheets) == []


def test_every_picture_says_what_it_shows(pages):
    mute = [
        (page.path.name, image.get("src"))
        for page in pages.values()
        for image in page.images
        if len(image.get("alt") or "") < 40
    ]
    assert mute == []
    assert sum(len(page.images) for page in pages.values()) > 15


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("neighbours context words", "used alike|two similarities"),
        ("combine two models", "combining models"),
        ("same vectors every time", "reproducibility"),
        ("corpus is small", "little text"),
        ("train on a gpu", "training on a gpu"),
    ],
)
def test_a_question_of_a_new_reader_is_a_click_away(pages, question, answer):
    front = pages[SITE / "index.html"]
    (target,) = [link for link, text in front.texts.items() if question in text.lower()]
    path, _ = front.leads_to(target)
    assert any(re.search(answer, heading.lower()) for heading in pages[path].headings)


def test_every_public_name_is_in_the_reference(pages):
    ids = set().union(*(page.ids for page in pages.values()))
    names = set(w2v.__all__) - {"__version__", "align", "bio", "distributed"}
    for room in ("align", "bio", "distributed"):
        names |= {f"{room}.{name}" for name in getattr(w2v, room).__all__}
    assert {name for name in names if f"w2v.{name}" not in ids} == set()


def test_no_list_or_emphasis_is_left_as_it_was_typed():
    """Markdown that was not understood."""
    left = []
    for path in PAGES:
        text = re.sub(r"<(pre|code|title)\b.*?</\1>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        left += [(path.name, line) for line in re.findall(r"^(?:<p>)?(?:[-*] |```|\|).*", text, re.MULTILINE)]
    assert left == []


def test_search_finds_words_without_a_server():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    import shutil

    browser_path = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if browser_path is None:
        pytest.skip("there is no Chromium")
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_context(offline=True).new_page()
        page.goto(f"{(SITE / 'search.html').as_uri()}?q=procrustes")
        page.wait_for_selector("#search-results li a", timeout=20_000)
        found = page.locator("#search-results li a").all_inner_texts()
        browser.close()
    assert any("Combining" in title for title in found)
