"""What draws figures in a browser: Vega, Vega-Lite and Vega-Embed in one script, as vl-convert packs them.

The script evaluates no text as code where a view is made with `ast: true`, so a page that shows it can forbid that
(no `unsafe-eval` in its Content-Security-Policy).
"""

from functools import cache

VERSION = "6.4"  # of Vega-Lite


@cache
def javascript() -> str:
    """The script, 0.9 MB, which defines `vegaEmbed`; packed once a process, in 2 s of CPU."""
    import vl_convert

    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=VERSION)
