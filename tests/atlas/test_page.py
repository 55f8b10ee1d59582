"""The page of a map in a browser, opened from the disk with the network off."""

import os
import re
import shutil

import numpy as np
import pytest
from nasty import NASTY, nasty_vectors

from w2v import KeyedVectors, align

playwright = pytest.importorskip("playwright.sync_api", reason="w2v[browser] is not installed")

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
BROWSER = os.environ.get("W2V_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine; W2V_CHROMIUM names one")

# WebGL by software, to test it without a GPU as well; --no-sandbox is for machines where root runs the tests.
FLAGS = ["--enable-unsafe-swiftshader", "--no-sandbox"]


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def vectors():
    draw = np.random.default_rng(2)
    rows = draw.normal(size=(1500, 16)).astype(np.float32)
    return KeyedVectors.from_arrays([f"word{n}" for n in range(1500)], rows, {"count": np.arange(1500, 0, -1)})


@pytest.fixture(scope="module")
def opened(browser, vectors, tmp_path_factory):
    """A map that is open, and all that its console said."""
    path = tmp_path_factory.mktemp("page") / "map.html"
    vectors.map(layout="pca").save(path)
    page, said = open_page(browser, path)
    yield page, said
    page.context.close()


def open_page(browser, path, **options):
    context = browser.new_context(viewport={"width": 1200, "height": 800}, offline=True, **options)
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append((message.type, message.text)))
    page.on("pageerror", lambda error: said.append(("error", str(error))))
    page.on("request", lambda request: said.append(("request", request.url)) if request.url[:4] == "http" else None)
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready=true]", timeout=30_000)
    return page, said


def errors(said):
    # The driver of the software renderer notes that a pixel was read.
    return [entry for entry in said if not (entry[0] == "warning" and "GL Driver Message" in entry[1])]


def test_a_page_opens_from_the_disk_without_a_network(opened):
    page, said = opened
    assert page.evaluate("location.protocol") == "file:"
    assert "1,500 points" in page.inner_text("#state")
    assert errors(said) == []


COVERED = """() => {
    const canvas = document.querySelectorAll(".map canvas")[w2vMap.byLibrary() ? 0 : 1];
    const copy = document.createElement("canvas");
    [copy.width, copy.height] = [480, 360];
    const context = copy.getContext("2d");
    context.fillStyle = "white";
    context.fillRect(0, 0, 480, 360);
    context.drawImage(canvas, 0, 0, 480, 360);
    const { data } = context.getImageData(0, 0, 480, 360);
    const blocks = new Float64Array(48 * 36);
    for (let p = 0; p < 480 * 360; p++) {
        blocks[Math.floor(p / 4800) * 48 + Math.floor((p % 480) / 10)] += 255 - data[4 * p + 1];
    }
    return Array.from(blocks);
}"""


def test_pixels_show_the_points_that_webgl_shows(opened):
    page, said = opened
    assert not page.evaluate("w2vMap.byLibrary()")  # there is no GPU
    page.evaluate("w2vMap.select(-1)")
    page.evaluate("w2vMap.go({x: 0, y: 0, scale: 330})")
    page.wait_for_function("w2vMap.isDrawn()")
    plotted = np.array(page.evaluate(COVERED))
    page.evaluate("w2vMap.useLibrary()")
    page.wait_for_timeout(300)
    drawn = np.array(page.evaluate(COVERED))
    page.evaluate("w2vMap.usePixels()")
    assert (plotted > 0).sum() > 100
    assert np.corrcoef(plotted, drawn)[0, 1] > 0.95
    assert errors(said) == []


def test_search_completes_and_the_keyboard_takes_a_word(opened, vectors):
    page, _ = opened
    page.keyboard.press("/")
    page.keyboard.type("word77")
    offered = page.locator("#found li").all_inner_texts()
    assert offered[0] == "word77"
    assert all("word77" in name for name in offered)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.inner_text(".selected-name") == offered[1]
    assert_neighbours(page, vectors, offered[1])


def assert_neighbours(page, vectors, word):
    told = [text.split("\n") for text in page.locator("#selection ol button").all_inner_texts()]
    expected = vectors.most_similar(word, topn=10)
    assert [name for name, _ in told] == [name for name, _ in expected]
    assert [float(cosine) for _, cosine in told] == pytest.approx([cosine for _, cosine in expected], abs=6e-4)


def test_a_click_shows_the_neighbours_that_python_gives(opened, vectors):
    page, _ = opened
    page.evaluate("w2vMap.select(-1)")
    page.evaluate("w2vMap.go({x: 0, y: 0, scale: 360})")
    page.wait_for_function("w2vMap.isDrawn()")
    box = page.locator(".map").bounding_box()
    places = page.evaluate("() => w2vMap.header.names.map((_, i) => w2vMap.place(i))")
    row = min(range(1500), key=lambda i: places[i][1])  # the highest one has no other near it
    page.mouse.click(box["x"] + places[row][0], box["y"] + places[row][1])
    assert page.inner_text(".selected-name") == f"word{row}"
    assert_neighbours(page, vectors, f"word{row}")


def test_labels_do_not_overlap_at_any_zoom(opened):
    page, _ = opened
    shown, map_ = set(), page.locator(".map").bounding_box()
    controls = [page.locator(f".map {what}").bounding_box() for what in (".name", ".zoom")]
    controls = [{"x": box["x"] - map_["x"], "y": box["y"] - map_["y"], "w": box["width"], "h": box["height"]}
                for box in controls if box]  # fmt: skip
    assert controls
    for scale in (300, 900, 4000):
        page.evaluate("scale => w2vMap.go({x: 0, y: 0, scale})", scale)
        page.wait_for_function("w2vMap.isDrawn()")
        boxes = page.evaluate("w2vMap.labels()")
        assert len(boxes) > 3
        shown.add(tuple(box["name"] for box in boxes))
        for number, a in enumerate(boxes):
            for b in boxes[:number] + controls:
                apart = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
                assert apart or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
    assert len(shown) == 3


def test_keys_and_wheel_move_the_map(opened):
    page, _ = opened
    page.evaluate("w2vMap.go({x: 0, y: 0, scale: 300})")
    page.locator(".map").focus()
    for key, changed in (("ArrowRight", "x"), ("ArrowUp", "y"), ("+", "scale"), ("-", "scale")):
        before = page.evaluate("w2vMap.camera()")
        page.keyboard.press(key)
        assert page.evaluate("w2vMap.camera()")[changed] != before[changed]
    page.keyboard.press("Enter")
    assert page.evaluate("w2vMap.selected()") >= 0
    page.keyboard.press("Escape")
    assert page.evaluate("w2vMap.selected()") == -1
    page.locator(".map").hover()
    before = page.evaluate("w2vMap.camera().scale")
    page.mouse.wheel(0, -300)
    page.wait_for_function("before => w2vMap.camera().scale > before", arg=before)


def test_all_points_can_be_read_as_a_list(opened):
    page, _ = opened
    assert page.locator("#list button").first.inner_text() == "word0"
    assert page.locator("#list button").count() == 100
    page.click("#more")
    assert page.locator("#list button").count() == 200
    named = "[...document.querySelectorAll('button, input, select, .map')].map(e => e.ariaLabel || e.innerText || e.id)"
    names = page.evaluate(named)
    assert all(names)
    page.click("#list button >> nth=3")
    assert page.inner_text(".selected-name") == "word3"


def test_the_theme_follows_the_reader(browser, opened, tmp_path):
    page, _ = opened
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    page.click("#theme")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 28)"
    page.click("#theme")


def test_text_is_shown_as_text_and_never_run(browser, tmp_path):
    path = tmp_path / "nasty.html"
    nasty_vectors().map(layout="pca", title=NASTY[1]).save(path)
    page, said = open_page(browser, path, color_scheme="dark")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.locator("#list bdi").all_text_contents()[: len(NASTY)] == NASTY
    for number in range(len(NASTY)):
        page.evaluate("i => w2vMap.select(i)", number)
    page.fill("#query", "<img")
    assert page.locator("#found li").all_inner_texts() == [NASTY[1]]
    page.wait_for_timeout(200)
    assert page.evaluate("window.injected") is None
    assert page.locator("img, svg").count() == 0
    assert page.title() == NASTY[1]
    assert errors(said) == []
    page.context.close()


def test_two_models_stand_side_by_side_and_fingers_pinch(browser, vectors, tmp_path):
    path = tmp_path / "two.html"
    rows = vectors.vectors.copy()
    rows[5] *= -1
    after = KeyedVectors.from_arrays(list(vectors.index_to_key), rows)
    align.draw_map(align.fit(vectors, after), layout="pca").save(path)
    page, said = open_page(browser, path, has_touch=True)
    assert page.locator(".map").count() == 2
    page.click("#moved button >> nth=0")
    assert page.inner_text(".selected-name") == "word5"
    assert len(page.locator("#selection ol").all()) == 2
    assert re.match(r"used alike, before", page.locator("#selection h2").nth(1).inner_text())
    before = page.evaluate("w2vMap.camera().scale")
    page.evaluate("""() => {
        const map = document.querySelector(".map");
        map.setPointerCapture = () => {};
        const send = (type, id, x) => map.dispatchEvent(new PointerEvent(type, {
            pointerId: id, pointerType: "touch", clientX: x, clientY: 300, bubbles: true, isPrimary: id === 1 }));
        send("pointerdown", 1, 200); send("pointerdown", 2, 260);
        send("pointermove", 1, 140); send("pointermove", 2, 320);
        send("pointerup", 1, 140); send("pointerup", 2, 320);
    }""")
    assert page.evaluate("w2vMap.camera().scale") > 2 * before
    assert errors(said) == []
    page.context.close()


def test_labels_move_with_the_points_and_are_new_at_rest(opened):
    page, _ = opened
    page.evaluate("w2vMap.select(-1)")
    page.evaluate("w2vMap.go({x: 0, y: 0, scale: 300})")
    page.wait_for_function("w2vMap.isDrawn()")
    before = page.evaluate("w2vMap.labels()")
    moved = page.evaluate("""async () => {
        const frame = () => new Promise(requestAnimationFrame);
        w2vMap.go({ x: 10 / 300, y: 0, scale: 600 });
        await frame();
        await frame();
        return document.querySelectorAll(".map canvas")[2].style.transform;
    }""")
    assert moved == "translate(-20px, 0px) scale(2)"
    page.wait_for_function("w2vMap.isDrawn()")
    assert page.evaluate("document.querySelectorAll('.map canvas')[2].style.transform") == ""
    assert page.evaluate("w2vMap.labels()") != before


def test_a_page_leaves_webgl_where_it_keeps_frames_waiting(opened):
    page, _ = opened
    page.evaluate("w2vMap.useLibrary()")
    page.evaluate("""async () => {
        const plain = window.requestAnimationFrame;
        window.requestAnimationFrame = step => plain(now => setTimeout(() => step(performance.now()), 60));
        for (let i = 0; i < 12 && w2vMap.byLibrary(); i++) {
            const camera = w2vMap.camera();
            w2vMap.go({ ...camera, x: camera.x + 0.01 });
            await new Promise(done => setTimeout(done, 200));
        }
        window.requestAnimationFrame = plain;
    }""")
    assert not page.evaluate("w2vMap.byLibrary()")
    page.wait_for_function("w2vMap.isDrawn()")


def test_points_are_drawn_in_a_browser_without_webgl(browser, vectors, tmp_path):
    path = tmp_path / "map.html"
    vectors.map(50, layout="pca").save(path)
    context = browser.new_context(viewport={"width": 600, "height": 500}, offline=True)
    context.add_init_script("""
        const plain = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
            return kind.startsWith("webgl") ? null : plain.call(this, kind, ...more);
        };""")
    page = context.new_page()
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready=true]")
    page.wait_for_function("w2vMap.isDrawn()")
    assert sum(value > 0 for value in page.evaluate(COVERED)) > 20
    context.close()
