"""What draws figures in a browser: Vega, Vega-Lite and Vega-Embed in one script, as vl-convert packs them.

The script evaluates no text as code where a view is made with `ast: true`, so a page that shows it can forbid that
(no `unsafe-eval` in its Content-Security-Policy).
"""

import subprocess
import sys
from functools import cache
from threading import Lock

VERSION = "6.4"  # of Vega-Lite
_CODE = "import sys, vl_convert; print(vl_convert.javascript_bundle(sys.argv[1], vl_version=sys.argv[2]), end='')"
_packing = Lock()


def javascript() -> str:
    """The script, 0.9 MB, which defines `vegaEmbed`; packed once a process, in 2 s of CPU.

    Another process packs it: vl-convert lets no other thread of its own process run meanwhile.

    Raises:
        subprocess.CalledProcessError: it could not be packed.
    """
    with _packing:
        return _packed()


@cache
def _packed() -> str:
    command = [sys.executable, "-P", "-c", _CODE, "window.vegaEmbed = vegaEmbed;", VERSION]
    # A session of its own: Ctrl-C is not for it.
    return subprocess.run(command, capture_output=True, text=True, check=True, start_new_session=True).stdout
