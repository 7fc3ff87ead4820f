"""What draws figures in a browser: Vega, Vega-Lite and Vega-Embed in one script, as vl-convert packs them.

The script evaluates no text as code where a view is made with `ast: true`, so a page that shows it can forbid that
(no `unsafe-eval` in its Content-Security-Policy).
"""

from functools import cache


@cache
def javascript() -> str:
    """The script, 0.9 MB, which sets `vega`, `vegaLite` and `vegaEmbed`; packed once a process, in 2 s of CPU."""
    import vl_convert

    return str(vl_convert.javascript_bundle())
