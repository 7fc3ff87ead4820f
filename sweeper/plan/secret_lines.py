"""How a line of a shell, or of a program in it, gives a secret: a help, not a guarantee (docs/security.md)."""

import re

from sweeper.host.secret_shape import is_secret

# A literal value; `$(command)`, `` `command` ``, `$OTHER` and `~/file` are worked out on the node, `$'...'` is not.
_LITERAL = r"""(?:''|"")*(?!["']?\$[({\w]|["']?`|~/)(?:\$?["'])?(?=(?P<value>[^\s"'$;|&<>][^\s"']*))"""
_OPTION = r"(?:\s+--host[=\s]\s*\S+|\s+-(?!-?host\b)[\w-]+(?:=\S+)?)*"
_LOGIN = r"(?<![\w./-])login(?![\w./-])"
_SAID = rf"(?:echo|printf)\s+(?:-\w+\s+)*{_LITERAL}"
# Where programs keep what they log in with.
_KEPT = r"\S*(?:[/.]|_)(?:token|netrc|pgpass|my\.cnf|git-credentials|npmrc|pypirc)\b"
# A user and a literal password: me:x, and not "$USER:$PASSWORD", a place in a container or a port.
_PAIR = r"[\"']?[^\s:/$\"']+[:%](?![$\s\"'])"
# What tells nothing, whatever the name: a switch, a column, a count, and whether a variable is set.
_PLAIN = re.compile(r"\d{1,4}|true|false|yes|no|on|off|set", re.IGNORECASE)
# The group `name`, if there is one, decides, and what is given to it.
_GIVEN = tuple(
    map(
        re.compile,
        (
            # Variables.
            rf"(?<!from-file=)\b(?P<name>\w+)[\"']?\+?={_LITERAL}",
            r"\$\{(?P<name>\w+):?[-=](?!\$)[^}\s]",  # a default: ${HF_TOKEN:-value}
            r"\$\{(?P<name>\w+):?\+(?P<value>[^}$`\s]+)\}",  # what stands for one that is set
            rf"\bset(?:env|x)\s+(?P<name>\w+)\s+{_LITERAL}",
            rf"\bset\s+(?:-\w+\s+)*(?P<name>\w+)\s+(?:=\s*)?{_LITERAL}",
            rf"\bprintf\s+-v\s+(?P<name>\w+)\s+(?:%\w+\s+)?{_LITERAL}",
            rf"\b(?P<name>\w+)=[\"']?(?:\$\(|`)\s*{_SAID}",
            rf"\bread\b[^;|&]*?\s(?P<name>\w+)\s*(?:<<<\s*|<\s*<\(\s*(?:echo|printf)\s+|<<-?\s*[\"']?\w+[\"']?\n\s*){_LITERAL}",
            rf"\b(?P<name>\w+)=[\"']?(?:\$\(|`)\s*base64\s+(?:-\w|--decode)\s*<<<\s*{_LITERAL}",
            r"(?<![$\w{])(?P<name>\w+)\s+=\s+[\"'](?P<value>[^\s\"'$]+)[\"']",  # of Python, or of TOML
            rf"\bENV\{{(?P<name>\w+)\}}\s*=\s*{_LITERAL}",  # of Perl
            r"\[[\"'](?P<name>\w+)[\"']\]\s*=\s*[\"'](?P<value>[^\s\"']+)",
            r"(?<!\[)[\"'](?P<name>[\w-]+)[\"']\s*[:,]\s*[\"'](?P<value>[^\s\"'$]+)[\"']",  # of JSON, or of a call
            rf"\b(?:echo|printf)\s[^|;&]*?\b(?P<name>\w+):\s+{_LITERAL}",  # of YAML
            # Settings and options of programs.
            rf"\bconfig(?:ure)?\s+set\s+(?P<name>[\w./:@-]+)[\s=]\s*{_LITERAL}",
            rf"\bconfig\s+(?:create|update)\b.*\s(?P<name>\w+)\s+{_LITERAL}",
            rf"\bgit\s+config\s+(?:--\w+\s+)*(?P<name>[\w.-]+)\s+{_LITERAL}",
            rf"\bdvc\s+remote\s+modify\s.*\s(?P<name>\w+)\s+{_LITERAL}",
            rf"\bcrudini\s+--set\s+\S+\s+\S+\s+(?P<name>\w+)\s+{_LITERAL}",
            rf"\bvault\s+(?:kv\s+put|write)\s.*\s\w+=(?![@-]){_LITERAL}",
            rf"\bgh\s+secret\s+set\s.*\s(?:-b\s*|--body[=\s]\s*){_LITERAL}",
            rf"\bmc\s+alias\s+set\s+\S+\s+\S+\s+\S+\s+{_LITERAL}",
            rf"\bngrok\b.*\bauthtoken\s+{_LITERAL}",
            rf"\s--(?P<name>[\w-]+)[=\s]\s*(?!-){_LITERAL}",
            rf"\s-(?!pass(?:in|out)?\b)(?P<name>[a-z]\w{{3,}})[=\s]\s*(?!-){_LITERAL}",
            rf"\b(?:mysql\w*|mariadb\S*)\b[^;|&]*?\s-p{_LITERAL}",
            rf"\bmongo\w*\b[^;|&]*?\s-p\s*{_LITERAL}",
            rf"\b(?:zip|7z\w?\s+[a-z])\b[^;|&]*?\s-(?:P\s*|p){_LITERAL}",
            rf"\b(?:unzip|mosquitto_\w+|sqlcmd|ipmitool)\b[^;|&]*?\s-P\s*{_LITERAL}",
            rf"\b(?:un)?rar\b[^;|&]*?\s-h?p(?!-){_LITERAL}",
            rf"\bsnmp\w+\b[^;|&]*?\s-[AX]\s*{_LITERAL}",
            rf"\bssh-keygen\b[^;|&]*?\s-N\s*{_LITERAL}",
            rf"\bkeytool\b.*\s-(?:store|key)pass\s+{_LITERAL}",
            rf"\buser(?:add|mod)\b[^;|&]*?\s-p\s*{_LITERAL}",
            rf"\bredis-cli\b[^;|&]*?\s-a\s*{_LITERAL}",
            rf"\bldap\w+\b[^;|&]*?\s-w\s*{_LITERAL}",
            rf"\bopenssl\b[^;|&]*?\s-pass(?:in|out)?\s+[\"']?pass:{_LITERAL}",
            rf"\bopenssl\s+enc\b[^;|&]*?\s-[kK]\s+{_LITERAL}",
            rf"\bsshpass\s+-p\s*{_LITERAL}",
            rf"\bsmbclient\b.*\s-U\s*{_PAIR}",
            r"\blftp\b.*\s-u\s*[^\s,$\"']+,(?![$\s\"'])",
            rf"\b(?:curl|wget)\b.*\s(?:-[uU]\s*|--(?:proxy-)?user[=\s]\s*){_PAIR}",
            rf"\bhttps?\s(?:.*\s)?-a\s*{_PAIR}",
            r"\bcurl\b.*\s(?:-b\s*|--cookie[=\s]\s*)[\"']?[^\s=$\"']+=(?![$\s\"'])",
            rf"-H\s*[\"']?(?!(?i:authorization))(?P<name>[\w-]+):\s*{_LITERAL}",
            rf"(?i:Authorization:\s*(?:Bearer|Basic|Token)\s|X-API-Key:|Private-Token:)\s*{_LITERAL}",
            # Logins.
            rf"\b(?:wandb|vault|comet|neptune)\s+login{_OPTION}\s+(?![-#]|\d*>|\w+=){_LITERAL}",
            rf"{_LOGIN}[^;|&]*?\s(?:-p\s*|<<<\s*){_LITERAL}",
            rf"\blogin\(\s*(?!\))(?:\w+=)?{_LITERAL}",
            rf"\bmachine\s+\S+\s.*\bpassword\s+{_LITERAL}",
            rf"(?m:^)[ \t]*(?:login\s+\S+\s+)?password\s+{_LITERAL}",  # a line of a netrc
            rf"<<<\s*{_LITERAL}[^|;&]*>\s*{_KEPT}",
            rf"<<-?\s*[\"']?\w+[\"']?[^\n]*>\s*\S*(?:[/.]|_)token\s*\n\s*{_LITERAL}",
            rf"\b{_SAID}[^|;&]*>\s*{_KEPT}",
            rf"\btee\b[^|;&]*{_KEPT}\s*<<<\s*{_LITERAL}",
            rf"\b{_SAID}[^|]*\|[^|]*(?:{_LOGIN}|\btee\b[^|;&]*{_KEPT})",
            rf"\b{_SAID}[^|]*\|\s*(?:kinit|passwd|chpasswd|su|sudo\s+-S)\b",
            rf"\b(?:kinit|passwd|chpasswd|su|sudo\s+-S)\b[^|;&]*<<<\s*{_LITERAL}",
            rf"(?i:\bpassword)\s*:\s*{_LITERAL}",
            r"(?i:\bpassword)\s+'(?P<value>[^'$]+)'",
            rf"\bnmcli\b.*\spassword\s+{_LITERAL}",
            rf"\bhtpasswd\s+-\w*b\w*\s+\S+\s+\S+\s+{_LITERAL}",
        ),
    )
)


def given_in(line: str) -> str | None:
    """To what a line gives a literal secret; None: to nothing that is known as one."""
    for pattern in _GIVEN:
        for match in pattern.finditer(line):
            named = match.groupdict()
            if _PLAIN.fullmatch((named.get("value") or "").rstrip(";)")):
                continue
            if "name" not in named:
                return "a login"
            if is_secret(named["name"], named.get("value")):
                return str(named["name"])
    return None
