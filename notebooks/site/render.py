"""Turn Markdown with TeX into HTML with MathML.

Reads a JSON list of texts from standard input and writes the list of their
HTML. Formulas are taken out before Markdown is read, as JupyterLab does, since
underscores and backslashes mean something else there.
"""

import html
import json
import re
import sys
import xml.etree.ElementTree as tree

import mistune
from latex2mathml.converter import convert

# Code is matched first, so that a dollar in it is no formula.
FORMULA = re.compile(
    r"(?P<code>^```.*?^```|`[^`\n]+`)"
    r"|\$\$(?P<display>.+?)\$\$"
    r"|(?<![\\$])\$(?P<inline>[^\s$](?:[^$]*[^\s$\\])?)\$(?!\d)",
    re.DOTALL | re.MULTILINE,
)

# Spellings that TeX accepts and latex2mathml does not know.
SPELLINGS = [
    (r"\\(begin|end)\{aligned\}", r"\\\1{align*}"),
    (r"\\(mathcal|mathbb|mathbf|mathsf|boldsymbol)\s*([A-Za-z0-9]|\\[A-Za-z]+)", r"\\\1{\2}"),
    (r"\\(?:mathrm|operatorname\*?)\s*\{([^{}\\]*)\}", r"\\text{\1}"),
    (r"\\(?:mathrm|operatorname\*?)\s*\{(\w+)\\,(\w+)\}", r"\\text{\1 \2}"),
    (r"\\[bB]igg?[lr]?\s*(\\\||\||\\lVert|\\rVert)", r"\1"),
    (r"\\lVert|\\rVert", r"\\|"),
]

ACCENTS = {"~": "\u02dc", "^": "\u02c6", "\u02d9": "\u02d9", "\u00af": "\u00af", "\u2015": "\u00af"}
# Formulas in a line do not break, and a telephone has room for about so many signs.
LONG = 25
LIMITS = {"min", "max", "inf", "sup", "lim"}
ELEMENTS = set(
    "math menclose mfenced mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow mspace msqrt"
    " mstyle msub msubsup msup mtable mtd mtext mtr munder munderover none semantics".split()
)
NAMESPACE = "http://www.w3.org/1998/Math/MathML"


def mathml(tex, display):
    """Return the formula as MathML Core, which browsers draw without a script."""
    for pattern, spelling in SPELLINGS:
        tex = re.sub(pattern, spelling, tex)
    # latex2mathml takes signs in text for markup.
    tex = re.sub(r"\\(?:text\w*|mbox|tag)\{[^{}]*\}", lambda m: html.escape(m[0], quote=False), tex)
    try:
        root = tree.fromstring(convert(tex.strip(), display="block" if display else "inline"))
    except Exception as error:
        sys.exit(f"cannot read the formula {tex!r}: {error!r}")
    for element in root.iter():
        element.tag = element.tag.removeprefix("{%s}" % NAMESPACE)
        element.attrib.pop("href", None)
        if element.tag not in ELEMENTS:  # HTML that was written into the formula
            sys.exit(f"the formula {tex!r} has the element {element.tag}")
    for element in list(root.iter()):
        sign(element)
        if (element.text or "").startswith("\\"):
            sys.exit(f"the command {element.text} is unknown in the formula {tex!r}")
        repair(element, display)
    markup = tree.tostring(root, encoding="unicode")
    if display:
        return f'<div class="formula" tabindex="0">{markup}</div>'
    if len("".join(root.itertext())) > LONG:
        return f'<span class="long" tabindex="0">{markup}</span>'
    return markup


def sign(row):
    """Mark a + or - after an operator as a sign, which stands close to its number."""
    for before, element in zip(row, row[1:]):
        if element.tag == before.tag == "mo" and element.text in "+-\u2212" and before.text not in ")]}|\u2016\u27e9":
            element.set("form", "prefix")


def repair(element, display):
    """Replace what latex2mathml takes from MathML 3 or misses."""
    if element.tag == "mi" and element.text == "~":
        element.tag, element.text = "mo", "\u223c"
    if element.tag == "mover" and element[1].tag == "mo" and element[1].text in ACCENTS:
        wide = element[1].text == "\u2015"
        element[1].text = ACCENTS[element[1].text]
        element[1].set("stretchy", "true" if wide else "false")
        element.set("accent", "true")
    if display and element.tag == "msub" and element[0].text in LIMITS:
        element.tag = "munder"
    if alignment := element.attrib.pop("columnalign", None):
        element.set("class", alignment)


def render(text, markdown):
    formulas = []
    # Markdown leaves signs for private use alone.
    begin, end = [sign for sign in map(chr, range(0xE000, 0xF8FF)) if sign not in text][:2]

    def take(match):
        if match["code"]:
            return match["code"]
        display = match["display"] is not None
        formulas.append(mathml(match["display"] if display else match["inline"], display))
        mark = f"{begin}{len(formulas) - 1}{end}"
        return f"\n\n{mark}\n\n" if display else mark

    body = markdown(FORMULA.sub(take, text))
    body = re.sub(' style="text-align:([a-z]+)"', r' class="\1"', body)
    body = re.sub(f"<p>({begin}[0-9]+{end})</p>", r"\1", body)
    return re.sub(f"{begin}([0-9]+){end}", lambda m: formulas[int(m[1])], body)


def main():
    markdown = mistune.create_markdown(escape=True, plugins=["table", "strikethrough"])
    rendered = []
    for text in json.load(sys.stdin):
        try:
            rendered.append(render(text, markdown))
        except Exception as error:
            sys.exit(f"cannot read the text that begins with {text[:60]!r}: {error!r}")
    json.dump(rendered, sys.stdout)


if __name__ == "__main__":
    main()
