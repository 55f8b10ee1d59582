"""Write the tables of src/w2v/text/unicode14.py from the Unicode database of the Python that runs this.

    python3.11 vendor/unicode/make.py > src/w2v/text/unicode14.py

Python 3.11 and 3.12 have Unicode 14 and 15, of which the file names the first: words of raw text must be the same under
every Python. Another version is another file, another name, and another result for texts with its new letters.
"""

import sys
import textwrap
import unicodedata

CHARACTERS = 0x110000
SURROGATES = range(0xD800, 0xE000)
JOINERS = (0x200C, 0x200D)
SOFT_HYPHEN = 0xAD

# As in _raw.h.
LETTER, DIGIT, MARK, CASED, IGNORABLE, UNSEEN = 1, 2, 4, 8, 16, 32


def kind_of(code):
    """What a character is. Python tells cased and ignorable ones only by what becomes of a sigma behind them."""
    character = chr(code)
    kind = 0
    if character.isalnum() or character == "_":
        kind |= DIGIT if character.isdecimal() else LETTER
    if unicodedata.category(character).startswith("M") or code in JOINERS:
        kind |= MARK
    if code not in SURROGATES:
        if (character + "Σ").lower().endswith("ς"):
            kind |= CASED
        elif ("A" + character + "Σ").lower().endswith("ς"):
            kind |= IGNORABLE
    return kind | (UNSEEN if code == SOFT_HYPHEN else 0)


def runs_of_kinds():
    """Each run as ``gap,length,kind`` in hexadecimal; the gap begins behind the run before it."""
    runs, end, code = [], 0, 0
    while code < CHARACTERS:
        kind, start = kind_of(code), code
        while code < CHARACTERS and kind_of(code) == kind:
            code += 1
        if kind:
            runs.append(f"{start - end:x},{code - start:x},{kind:x}")
            end = code
    return runs


def runs_of_cases(change):
    """Runs of characters that become one other, as ``first,count,step,difference``, and those that become several."""
    runs, several = [], []
    for code in range(CHARACTERS):
        changed = change(chr(code))
        if changed == chr(code):
            continue
        if len(changed) > 1:
            several.append(",".join(f"{ord(character):x}" for character in chr(code) + changed))
            continue
        difference = ord(changed) - code
        if runs and runs[-1][3] == difference:
            first, count, step, _ = runs[-1]
            gap = code - (first + (count - 1) * step)
            if gap == step or (count == 1 and gap == 2):
                runs[-1] = (first, count + 1, gap, difference)
                continue
        runs.append((code, 1, 1, difference))
    return [",".join(f"{number:x}" for number in run) for run in runs], several


def main():
    lower, lower_several = runs_of_cases(str.lower)
    folded, folded_several = runs_of_cases(str.casefold)
    print(f'"""Letters, digits, marks and cases of Unicode {unicodedata.unidata_version}, as runs in hexadecimal.')
    print('\nMade by vendor/unicode/make.py; `letters` reads it.\n"""')
    for name, comment, runs in (
        ("KINDS", "Gap, length, what they are", runs_of_kinds()),
        ("LOWER", "First, count, step, difference to the lower-case letter", lower),
        ("LOWER_SEVERAL", "A character, and those that it becomes", lower_several),
        ("FOLDED", "First, count, step, difference to the letter by which cases are compared", folded),
        ("FOLDED_SEVERAL", "A character, and those that it becomes", folded_several),
    ):
        text = textwrap.fill(" ".join(runs), 118, break_on_hyphens=False)
        print(f'\n# {comment}.\n{name} = """\n{text}\n"""')


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    main()
