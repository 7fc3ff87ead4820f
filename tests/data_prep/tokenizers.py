"""Tokenizers for tests, made here: byte-level, as those of the models that are trained."""

from pathlib import Path

from data_prep.prompt_style import chat_template

BOS = "<\uff5cbegin\u2581of\u2581sentence\uff5c>"


def byte_level_tokenizer(
    folder: Path, *, style: str = "chatml", normalizer: bool = False, bytewise: bool = True
) -> Path:
    """Writes a tokenizer with merges for a few English words and the style's chat template."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(models.BPE() if bytewise else models.WordLevel(unk_token="<unk>"))
    backend.pre_tokenizer = (
        pre_tokenizers.ByteLevel(add_prefix_space=False) if bytewise else pre_tokenizers.Whitespace()
    )
    if normalizer:
        backend.normalizer = normalizers.NFC()
    special = ["<unk>", "<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    corpus = ["How many sheep and goats are there on the meadow after seven weeks?"] * 3
    if bytewise:
        trainer = trainers.BpeTrainer(
            vocab_size=400, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
        )
    else:
        trainer = trainers.WordLevelTrainer(special_tokens=special)
    backend.train_from_iterator(corpus, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token="<|endoftext|>", bos_token=BOS, unk_token="<unk>"
    )
    tokenizer.chat_template = chat_template(style)
    tokenizer.save_pretrained(folder)
    return folder
