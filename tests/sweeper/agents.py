"""A tokenizer that speaks of tools, and engines that follow a script: agents without a model."""

import math
import random
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from sweeper.generation.sampling import Request, Sample, Sampling, Take

END = "<|im_end|>"
ROLES = ("<|system|>", "<|user|>", "<|assistant|>", "<|tool|>")
# verl joins turns of Qwen2's with a newline behind <|im_end|>.
_TEMPLATE = (
    "{% if tools %}{{ '<|system|>' }}{% for tool in tools %}{{ tool.function.name }}{% endfor %}{{ '\n' }}{% endif %}"
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' + (message['content'] or '') }}"
    "{% for call in message.tool_calls or [] %}"
    "{{ '<tool_call>\n' + (call.function | tojson) + '\n</tool_call>' }}{% endfor %}"
    "{% if message['role'] == 'assistant' %}{{ '<|im_end|>\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


@cache
def tokenizer() -> Any:
    """Bytes, roles, and the frame of a call as one token each way."""
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import AddedToken, Qwen2Tokenizer

    made = Qwen2Tokenizer(
        vocab={symbol: i for i, symbol in enumerate(sorted(ByteLevel.alphabet()))},
        merges=[],
        unk_token=None,
        eos_token=END,
        pad_token="<|pad|>",
        additional_special_tokens=list(ROLES),
    )
    frames = (call("|").split("|")[0], call("|").split("|")[1], "\\boxed{")
    made.add_tokens([AddedToken(text, special=False, normalized=False) for text in frames])
    made.chat_template = _TEMPLATE
    return made


def call(expression: str) -> str:
    """A turn that asks the calculator."""
    return f'<tool_call>\n{{"name": "calculator", "arguments": {{"expression": "{expression}"}}}}\n</tool_call>'


def save_model(folder: Path, conversations: Sequence[str]) -> Path:
    """A folder with a model of 30,000 parameters that has learnt these conversations a little, and the tokenizer."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    end, pad = tokenizer().convert_tokens_to_ids(END), tokenizer().pad_token_id
    config = Qwen2Config(
        vocab_size=len(tokenizer()),
        hidden_size=48,
        intermediate_size=96,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=256,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=pad,
    )
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = Qwen2ForCausalLM(config)
    made = tokenizer()(list(conversations), add_special_tokens=False, padding=True, return_tensors="pt")
    labels = made["input_ids"].masked_fill(made["attention_mask"] == 0, -100)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(150):
        some = torch.randint(len(labels), (32,))
        asked, mask = made["input_ids"][some], made["attention_mask"][some]
        loss = model(input_ids=asked, attention_mask=mask, labels=labels[some]).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def conversation(
    asked: str, policy: Callable[[str, random.Random], str], answers: Callable[[str], str], rng: random.Random
) -> str:
    """What a policy says of a question and is told by a calculator, as one text."""
    text = f"<|system|>calculator\n<|user|>{asked}<|assistant|>"
    for _ in range(4):
        said = policy(text, rng)
        text += said + END + "\n"
        expression = said.partition('"expression": "')[2].partition('"')[0]
        if not expression:
            break
        text += f"<|tool|>{answers(expression)}<|assistant|>"
    return text


class Scripted:
    """An engine that writes what a policy says, given the text so far and numbers of its own.

    The numbers hang on the seed, the text and the request's draw, as those of the real engines do.
    """

    def __init__(self, policy: Callable[[str, random.Random], str], *, seed: int = 0) -> None:
        self.policy, self.seed = policy, seed
        self.rounds: list[list[Request]] = []

    def answers(self, take: Take, *, n: int, sampling: Sampling) -> Any:
        """Nothing: this engine plays rounds alone."""
        raise NotImplementedError

    def round(self, requests: Sequence[Request], *, sampling: Sampling) -> list[Sample]:
        """See `Engine`."""
        del sampling
        self.rounds.append(list(requests))
        return [self._sample(request) for request in requests]

    def _sample(self, request: Request) -> Sample:
        text = tokenizer().decode(list(request.token_ids))
        rng = random.Random(f"{self.seed}/{request.draw}/{text}")
        ids = tokenizer()(self.policy(text, rng) + END, add_special_tokens=False)["input_ids"]
        return Sample(ids[: request.limit], None, len(ids) <= request.limit)


# A game whose truth is known: find one of `NUMBERS` numbers; a wrong guess is answered by `<` or `>`.

NUMBERS = 16
SLIP = 0.25  # the chance that a guess is 0, which tells nothing


def guesser(text: str, rng: random.Random) -> str:
    """Guesses the middle of what is left, or slips."""
    return "0" if rng.random() < SLIP else halved(text)


def halved(text: str) -> str:
    """The middle of what is left after what was observed."""
    low, high = 1, NUMBERS
    for guess, seen in pairwise(text.partition("<|assistant|>")[2].split(END)):
        said = int(guess.rpartition(">")[2])
        if "<|user|><" in seen:
            high = min(high, said - 1)
        elif "<|user|>>" in seen:
            low = max(low, said + 1)
    return str((low + high) // 2)


def guesses_needed(secret: int) -> int:
    """Of a player without slips."""
    low, high, n = 1, NUMBERS, 1
    while (middle := (low + high) // 2) != secret:
        low, high, n = (low, middle - 1, n + 1) if secret < middle else (middle + 1, high, n + 1)
    return n


def truth(turns: int, k: int) -> float:
    """pass@(k, T) of the guesser on all secrets: enough of T guesses are no slips, a binomial tail."""
    total = 0.0
    for secret in range(1, NUMBERS + 1):
        enough = range(guesses_needed(secret), turns + 1)
        rate = sum(math.comb(turns, i) * (1 - SLIP) ** i * SLIP ** (turns - i) for i in enough)
        total += -math.expm1(k * math.log1p(-rate)) if rate < 1 else 1.0
    return total / NUMBERS
