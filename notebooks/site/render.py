"""Turn the text cells of notebooks into HTML with MathML.

Reads a list of {"folder": F, "cells": [{"text": T, "attachments": A}]} from standard input
and writes for each a list of {"html": H, "headings": [{"level": L, "identity": I, "text": H}],
"complaints": C}.
Where formulas are is decided by nbconvert's parser: they are part of Markdown, so
dollars in code are dollars.
"""

import base64
import html
import json
import mimetypes
import pathlib
import re
import sys
import urllib.parse
import xml.etree.ElementTree as tree

import mistune
from latex2mathml.converter import convert
from nbconvert.filters.markdown_mistune import MathBlockParser, MathInlineParser

# Spellings that TeX accepts and latex2mathml does not know.
SPELLINGS = [
    (r"\\(begin|end)\{(?:align|aligned|alignat|eqnarray|split)\*?\}", r"\\\1{align*}"),  # Jupyter does not number them
    (r"\\(begin|end)\{gather(?:ed)?\*?\}", r"\\\1{matrix}"),
    (r"\\(?:begin|end)\{(?:equation|math|displaymath)\*?\}|\\(?:nonumber|notag)\b", ""),
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
        raise ValueError(f"cannot read the formula {tex!r}: {error!r}")
    for element in root.iter():
        element.tag = element.tag.removeprefix("{%s}" % NAMESPACE)
        element.attrib.pop("href", None)
        if element.tag not in ELEMENTS:  # HTML that was written into the formula
            raise ValueError(f"the formula {tex!r} has the element {element.tag}")
    for element in list(root.iter()):
        sign(element)
        if (element.text or "").startswith("\\"):
            raise ValueError(f"the command {element.text} is unknown in the formula {tex!r}")
        repair(element, display)
    markup = tree.tostring(root, encoding="unicode")
    if display:
        return f'<div class="formula" tabindex="0">{markup}</div>'
    if len("".join(root.itertext())) > LONG:
        return f'<span class="long" tabindex="0">{markup}</span>'
    return markup


def sign(row):
    """Mark a + or - after an operator as a sign, which stands close to its number, and
    leave room after the name of a function."""
    for i in range(len(row) - 1, 0, -1) if row.tag in ("mrow", "mtd", "mstyle") else ():
        name = row[i - 1][0] if row[i - 1].tag in ("msub", "msup", "munder") else row[i - 1]
        if name.tag in ("mi", "mo") and re.fullmatch("[a-z]{2,}", name.text or "") and row[i].tag not in ("mo", "mspace"):
            row.insert(i, tree.Element("mspace", width="0.17em"))
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


# A definition, up to what it stands for.
DEFINITION = re.compile(
    r"\\(?:newcommand\*?|DeclareMathOperator\*?|def)\s*\{?\s*(\\[A-Za-z]+)\s*\}?\s*(?:\[[^\]]*\])*(?:\#\d)*\s*(?=\{)"
)


def group(tex, start):
    """Return the end of the braces that open at start."""
    depth = 0
    for i in range(start, len(tex)):
        if tex[i - 1] != "\\":
            depth += (tex[i] == "{") - (tex[i] == "}")
        if depth == 0:
            return i + 1
    raise ValueError(f"a brace stays open in {tex!r}")


class Renderer(mistune.HTMLRenderer):
    """HTML of the text cells of one notebook."""

    def __init__(self, folder):
        super().__init__(escape=True)
        self.folder, self.macros, self.identities = pathlib.Path(folder), {}, set()
        self.attachments, self.headings, self.complaints = {}, [], []

    def formula(self, tex, display):
        """Definitions hold from where they stand to the end of the notebook, as in MathJax."""
        try:
            tex = re.sub(r"\\(re|provide)newcommand", r"\\newcommand", tex)
            while match := DEFINITION.search(tex):
                end = group(tex, match.end())
                self.macros[match[1]] = tex[match.start() : end]
                tex = tex[: match.start()] + tex[end:]
            used = self.macros.values() if "\\" in tex else []
            return mathml("".join(used) + tex, display) if tex.strip() else ""
        except ValueError as error:
            self.complaints.append(str(error))
            return f'<code class="bad">{html.escape(tex)}</code>'

    def block_math(self, text):
        return self.formula(text, True)

    def inline_math(self, text):
        return self.formula(text, False)

    def latex_environment(self, name, body):
        return self.formula(r"\begin{%s}%s\end{%s}" % (name, body, name), True)

    def paragraph(self, text):
        if text.startswith('<div class="formula"') and text.count("<div") == 1 and text.endswith("</div>"):
            return text
        return super().paragraph(text.replace('<div class="formula"', '<span class="formula"').replace("</div>", "</span>"))

    def heading(self, text, level, **attrs):
        """Headings have the identities that JupyterLab gives them, so that links work there and here."""
        plain = html.unescape(re.sub("<[^>]*>", "", text))
        identity = base = plain.strip().replace(" ", "-")
        number = 1
        while identity in self.identities:
            number += 1
            identity = f"{base}-{number}"
        self.identities.add(identity)
        self.headings.append({"level": level, "identity": identity, "text": re.sub("</?a[^>]*>", "", text)})
        quoted = html.escape(identity)
        return f'<h{level} id="{quoted}">{text} <a class="anchor" href="#{html.escape(urllib.parse.quote(identity))}" aria-label="Link to this section">#</a></h{level}>\n'

    def image(self, text, url, title=None):
        try:
            return super().image(text, self.embedded(url), title).replace("<img", '<img class="picture"')
        except (OSError, ValueError) as error:
            self.complaints.append(f"the picture {url} cannot be shown: {error}")
            return f'<span class="bad">[picture {html.escape(url)}: {text}]</span>'

    def safe_url(self, url):
        return url if url.startswith("data:image/") else super().safe_url(url)

    def embedded(self, url):
        """Return a picture as data: what is attached, or a file beside the notebook."""
        address = urllib.parse.urlsplit(url)
        if address.scheme == "attachment":
            kinds = self.attachments.get(urllib.parse.unquote(address.path)) or {}
            for kind, content in kinds.items():
                return f"data:{kind};base64,{''.join(content).strip()}"
            raise ValueError("nothing of this name is attached to the cell")
        if address.scheme == "data":
            return url
        if address.scheme or address.netloc:
            raise ValueError("it is elsewhere, and these pages load nothing from elsewhere")
        path = (self.folder / urllib.parse.unquote(address.path)).resolve()
        kind = mimetypes.guess_type(path.name)[0] or ""
        if not path.is_relative_to(self.folder.resolve()) or not kind.startswith("image/"):
            raise ValueError("it is no picture in the notebook's folder")
        return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def cell(markdown, renderer, text, attachments):
    renderer.attachments, renderer.headings, renderer.complaints = attachments or {}, [], []
    try:
        body = re.sub(r"<p>\s*</p>", "", markdown(text))
        body = re.sub(r"<th([^>]*)></th>", r"<td\1></td>", body)  # of a table whose rows have names
        body = re.sub(r'(<math [^>]*display="inline"(?:(?!</math>).)*</math>)([,.;:!?)]+)', r'<span class="glue">\1\2</span>', body)
        body = re.sub(' style="text-align:([a-z]+)"', r' class="\1"', body)
    except Exception as error:  # of a parser that met its match
        body = f'<pre class="bad">{html.escape(text)}</pre>'
        renderer.complaints.append(f"cannot read the text that begins with {text[:60]!r}: {error!r}")
    return {"html": body, "headings": renderer.headings, "complaints": renderer.complaints}


def main():
    rendered = []
    for notebook in json.load(sys.stdin):
        renderer = Renderer(notebook["folder"])
        plugins = [mistune.import_plugin(name) for name in ("table", "strikethrough", "url")]
        markdown = mistune.Markdown(renderer, MathBlockParser(), MathInlineParser(), plugins)
        rendered.append([cell(markdown, renderer, c["text"], c["attachments"]) for c in notebook["cells"] or []])
    json.dump(rendered, sys.stdout)


if __name__ == "__main__":
    main()
