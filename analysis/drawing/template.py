"""The Jinja templates of a page and of what is drawn like it."""

from functools import cache
from pathlib import Path

import jinja2

FOLDER = Path(__file__).parent / "templates"


@cache
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    # In the order it was made: the filter escapes whatever could end the element it stands in.
    made.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "ensure_ascii": False, "allow_nan": False}
    return made


def template(name: str) -> jinja2.Template:
    """A template of `analysis/drawing/templates/`."""
    return _environment().get_template(name)


def text_of(name: str) -> str:
    """A file of `analysis/drawing/templates/` as it is: a script or a style sheet."""
    return (FOLDER / name).read_text(encoding="utf-8")
