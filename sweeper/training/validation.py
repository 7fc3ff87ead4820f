"""What verl's validations generated, counted from the texts that it writes (`trainer.validation_data_dir`)."""

from pathlib import Path

from sweeper.host.json_lines import json_lines
from sweeper.rows.flops import Tokens

_OF_AGENTS = {"generated_tokens", "observed_tokens"}


def validation_tokens(folder: Path, tokenizer: Path) -> Tokens | None:
    """Sequences and tokens of all validations of a run.

    verl logs no token counts for them and writes the texts without special tokens, so the chat template's marks and
    the end of each answer, a few tokens a sequence, are not counted. An agent's transcript has such marks around every
    turn: its tokens are the record's, which the reward gives beside the score (`rewards.route.trajectory`), and its
    prompt alone is counted from text.

    Args:
        folder: One `STEP.jsonl` a validation, with `input` and `output`; a repeated step has replaced its file. Of an
            agent also with `generated_tokens` and `observed_tokens`.
        tokenizer: The model's `tokenizer.json`.

    Returns:
        None if there is no text, or no such tokenizer.
    """
    if not tokenizer.exists():
        return None
    lines = [line for path in sorted(folder.glob("*.jsonl")) for _, line in json_lines(path)]
    if not lines:
        return None
    from tokenizers import Tokenizer

    encoder = Tokenizer.from_file(str(tokenizer))
    encoder.no_truncation()
    encoder.no_padding()

    def count(texts: list[str]) -> int:
        return sum(len(item.ids) for item in encoder.encode_batch(texts, add_special_tokens=False))

    known = [line["generated_tokens"] + line["observed_tokens"] for line in lines if line.keys() >= _OF_AGENTS]
    response = sum(known) + count([line["output"] for line in lines if not line.keys() >= _OF_AGENTS])
    return Tokens(sequences=len(lines), total=count([line["input"] for line in lines]) + response, response=response)
