"""How prompts are put to a family of models: its chat template, which says what becomes of system turns too.

A style is data. A run puts the template into its model's tokenizer, so that fine-tuning, training and evaluation share
it. Where a model knows no system turns, theirs becomes the beginning of the next user turn.
"""

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptStyle:
    """One way of putting prompts.

    Attributes:
        name: As configured.
        title: One line for people: which models.
        template: Jinja chat template; None: the model's own.
        opens_thought: Whether the prompt ends with `<think>`, so that responses begin inside a thought and only what
            follows `</think>` is the answer.
    """

    name: str
    title: str
    template: str | None = None
    opens_thought: bool = False


STYLES: dict[str, PromptStyle] = {
    style.name: style
    for style in (
        PromptStyle(name=OWN_STYLE, title="any model with a chat template of its own"),
        PromptStyle(name="base", title="base models: the bare problem", template=_PLAIN),
        PromptStyle(
            name="base-think",
            title="base models that know ChatML, made to think first",
            template=_chatml(opening="<think>\n"),
            opens_thought=True,
        ),
        PromptStyle(
            name="instruct",
            title="Qwen2.5 Instruct, with its default system turn",
            template=_chatml(default_system="You are Qwen, created by Alibaba Cloud. You are a helpful assistant."),
        ),
        PromptStyle(
            name="chatml", title="models trained with ChatML, without a default system turn", template=_chatml()
        ),
        PromptStyle(
            name="r1-distill",
            title="DeepSeek-R1 and the models distilled from it",
            template=_DEEPSEEK,
            opens_thought=True,
        ),
        PromptStyle(
            name="qwq",
            title="QwQ-32B",
            template=_chatml(opening="<think>\n"),
            opens_thought=True,
        ),
    )
}


def prompt_style(name: str) -> PromptStyle:
    """The style of that name.

    Raises:
        DataError: There is none; the message lists them.
    """
    if name not in STYLES:
        raise DataError(f"prompt_style={name} is unknown. Known: {', '.join(STYLES)}.")
    return STYLES[name]


def chat_template(style: str) -> str | None:
    """The chat template to put in place of the model's own; None: keep the model's.

    Raises:
        DataError: No such style.
    """
    return prompt_style(style).template
