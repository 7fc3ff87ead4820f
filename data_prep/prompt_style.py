"""How prompts are put to a family of models: its chat template, which says what becomes of system turns too.

A style is data. A run puts the template into its model's tokenizer, so that fine-tuning, training and evaluation share
it. Where a model knows no system turns, theirs becomes the beginning of the next user turn.
"""

from data_prep.spec import DataError

OWN_STYLE = "model"  # of models that keep their own chat template

# ChatML, which Qwen's models are trained with; what a system turn defaults to and how an answer begins vary.
_CHATML = """\
{%- set opening = __OPENING__ -%}
{%- if __DEFAULT_SYSTEM__ and messages[0]['role'] != 'system' -%}
{{- '<|im_start|>system\\n' + __DEFAULT_SYSTEM__ + '<|im_end|>\\n' -}}
{%- endif -%}
{%- for message in messages -%}
{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' + opening -}}
{%- endif -%}
"""
# No markup: a base model continues the text. An answer ends with the end-of-text token, so that its end can be learned.
_PLAIN = """\
{%- set waiting = namespace(system='') -%}
{%- for message in messages -%}
{%- if message['role'] == 'system' -%}
{%- set waiting.system = waiting.system + message['content'] + '\\n\\n' -%}
{%- else -%}
{{- waiting.system + message['content'] + (eos_token if message['role'] == 'assistant' else '\\n') -}}
{%- set waiting.system = '' -%}
{%- endif -%}
{%- endfor -%}
"""
# Llama 3 Instruct's turns without the two dates that its own template puts before them: one is the day of the run.
_LLAMA3 = """\
{{- bos_token -}}
{%- for message in messages -%}
{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] + '<|eot_id|>' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}
{%- endif -%}
"""
# The tokens of DeepSeek's models (their bars and blanks are U+FF5C and U+2581); earlier thoughts are left out.
_DEEPSEEK = """\
{{- bos_token -}}
{%- set waiting = namespace(system='') -%}
{%- for message in messages -%}
{%- if message['role'] == 'system' -%}
{%- set waiting.system = waiting.system + message['content'] + '\\n\\n' -%}
{%- elif message['role'] == 'user' -%}
{{- '<\uff5cUser\uff5c>' + waiting.system + message['content'] -}}
{%- set waiting.system = '' -%}
{%- else -%}
{{- '<\uff5cAssistant\uff5c>' + message['content'].split('</think>')[-1] + '<\uff5cend\u2581of\u2581sentence\uff5c>' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<\uff5cAssistant\uff5c><think>\\n' -}}
{%- endif -%}
"""


def _chatml(*, default_system: str = "", opening: str = "") -> str:
    quoted = {"__DEFAULT_SYSTEM__": default_system, "__OPENING__": opening}
    template = _CHATML
    for name, text in quoted.items():
        template = template.replace(name, "'" + text.replace("\n", "\\n") + "'")
    return template


# The chat template of each style; None: the model's own.
STYLES: dict[str, str | None] = {
    OWN_STYLE: None,
    "base": _PLAIN,  # the bare problem
    "base-bos": "{{- bos_token -}}\n" + _PLAIN,  # likewise, of base models whose texts all began with a token (Llama)
    "base-think": _chatml(opening="<think>\n"),  # base models that know ChatML, made to think first
    "instruct": _chatml(default_system="You are Qwen, created by Alibaba Cloud. You are a helpful assistant."),
    "llama3": _LLAMA3,
    "chatml": _chatml(),  # models trained with ChatML, without a default system turn
    "r1-distill": _DEEPSEEK,
    "qwq": _chatml(opening="<think>\n"),
}


def chat_template(style: str) -> str | None:
    """The chat template to put in place of the model's own; None: keep the model's.

    Raises:
        DataError: There is no such style; the message lists them.
    """
    if style not in STYLES:
        raise DataError(f"prompt_style={style} is unknown. Known: {', '.join(STYLES)}.")
    return STYLES[style]
