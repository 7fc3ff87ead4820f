"""What verl's validations generated, counted from the texts that it writes (`trainer.validation_data_dir`)."""

from pathlib import Path

from sweeper.host.json_lines import json_lines
from sweeper.rows.flops import Tokens


def validation_tokens(folder: Path, tokenizer: Path) -> Tokens | None:
    """Sequences and tokens of all validations of a run.

    verl logs no token counts for them and writes the texts without special tokens, so the chat template's marks and
    the end of each answer, a few tokens a sequence, are not counted.

    Args:
        folder: One `STEP.jsonl` a validation, with `input` and `output`; a repeated step has replaced its file.
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

    def count(key: str) -> int:
        found = encoder.encode_batch([line[key] for line in lines], add_special_tokens=False)
        return sum(len(item.ids) for item in found)

    response = count("output")
    return Tokens(sequences=len(lines), total=count("input") + response, response=response)
