"""`config.json` of published models, shortened to their shapes, and the parameters that the hub counts in them.

The hub's address of each is https://huggingface.co/REPOSITORY; commit, shape and count are those that several public
repositories quote of it (the counts from its API, `safetensors.total`). We have not asked the hub.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Published:
    """A model as its repository has it."""

    repository: str
    revision: str | None
    total: int  # parameters, a tied output matrix counted once
    config: dict[str, Any]
    active: int | None = None  # parameters of layers and head that a token passes, of a mixture; None: all
    stored: int | None = None  # what the hub counts where the tied output matrix is stored a second time


def _config(kind: str, shape: str, *, tied: bool, positions: int, **more: Any) -> dict[str, Any]:
    """`shape`: hidden size, feed-forward width, layers, heads, KV heads, vocabulary."""
    hidden, width, layers, heads, kv_heads, vocabulary = map(int, shape.split())
    return {
        "model_type": kind,
        "hidden_size": hidden,
        "intermediate_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "vocab_size": vocabulary,
        "tie_word_embeddings": tied,
        "max_position_embeddings": positions,
        "hidden_act": "silu",
        "attention_bias": False,
        **more,
    }


_EXPERTS = {
    "num_experts": 128,
    "num_experts_per_tok": 8,
    "moe_intermediate_size": 768,
    "decoder_sparse_step": 1,
    "mlp_only_layers": [],
}
# By size: shape, whether tied, total, then the commits of base and post-trained model, and what the latter stores.
_QWEN3: dict[str, tuple[str, bool, int, str | None, str, int | None]] = {
    "0.6B": (
        *("1024 3072 28 16 8 151936", True, 596_049_920),
        *("da87bfb608c14b7cf20ba1ce41287e8de496c0cd", "c1899de289a04d12100db370d81485cdf75e47ca", 751_632_384),
    ),
    "1.7B": (
        *("2048 6144 28 16 8 151936", True, 1_720_574_976),
        *("ea980cb0a6c2ae4b936e82123acc929f1cec04c1", "70d244cc86ccca08cf5af4e1e306ecf908b1ad5e", 2_031_739_904),
    ),
    "4B": (
        *("2560 9728 36 32 8 151936", True, 4_022_468_096),
        *("906bfd4b4dc7f14ee4320094d8b41684abff8539", "1cfa9a7208912126459214e8b04321603b3df60c", None),
    ),
    "8B": (
        *("4096 12288 36 32 8 151936", False, 8_190_735_360),
        *("49e3418fbbbca6ecbdf9608b4d22e5a407081db4", "b968826d9c46dd6066d109eabc6255188de91218", None),
    ),
    "14B": (
        *("5120 17408 40 40 8 151936", False, 14_768_307_200),
        *("0b0bd3732e2c374d483664439ea334928b65f304", "40c069824f4251a91eefaf281ebe4c544efd3e18", None),
    ),
    "32B": (
        *("5120 25600 64 64 8 151936", False, 32_762_123_264),
        *(None, "9216db5781bf21249d130ec9da846c4624c16137", None),
    ),
    "30B-A3B": (
        *("2048 6144 48 32 4 151936", False, 30_532_122_624),
        *("1b75feb79f60b8dc6c5bc769a898c206a1c6a4f9", "ad44e777bcd18fa416d9da3bd8f70d33ebb85d39", None),
    ),
}
_LLAMA = {
    "3.2-1B": (
        *("2048 8192 16 32 8 128256", True, 1_235_814_400),
        *("4e20de362430cd3b72f300e6b0f18e50e7166e08", "9213176726f574b556790deb65791e0c5aa438b6"),
    ),
    "3.2-3B": (
        *("3072 8192 28 24 8 128256", True, 3_212_749_824),
        *("13afe5124825b4f3751f836b40dafda64c1ed062", "0cb88a4f764b7a12671c53f0838cd831a0843b95"),
    ),
    "3.1-8B": (
        *("4096 14336 32 32 8 128256", False, 8_030_261_248),
        *("d04e592bb4f6aa9cfee91e2e20afa771667e1d4b", "0e9e39f249a16976918f6564b8830bc894c89659"),
    ),
    "3.1-70B": (
        *("8192 28672 80 64 8 128256", False, 70_553_706_496),
        *("349b2ddb53ce8f2849a6c168a81980ab25258dac", "1605565b47bb9346c5515c34102e054115b4f98b"),
    ),
}
_OTHERS = {
    "olmo2-1b": (
        *("allenai/OLMo-2-0425-1B", "olmo2", "2048 8192 16 16 16 100352", False, 4096),
        *(1_484_916_736, "a1847dff35000b4271fa70afc5db10fd29fedbdf"),
    ),
    "olmo2-7b": (
        *("allenai/OLMo-2-1124-7B", "olmo2", "4096 11008 32 32 32 100352", False, 4096),
        *(7_298_617_344, "7df9a82518afdecae4e8c026b27adccc8c1f0032"),
    ),
    "olmo2-13b": (
        *("allenai/OLMo-2-1124-13B", "olmo2", "5120 13824 40 40 40 100352", False, 4096),
        *(13_716_198_400, "3fefddc1bf18a30e1d9b91000271630718f2aa8b"),
    ),
    "olmo2-32b": (
        *("allenai/OLMo-2-0325-32B", "olmo2", "5120 27648 64 40 8 100352", False, 4096),
        *(32_234_279_936, None),
    ),
    "smollm2-135m": (
        *("HuggingFaceTB/SmolLM2-135M", "llama", "576 1536 30 9 3 49152", True, 8192),
        *(134_515_008, "93efa2f097d58c2a74874c7e644dbc9b0cee75a2"),
    ),
    "smollm2-360m": (
        *("HuggingFaceTB/SmolLM2-360M", "llama", "960 2560 32 15 5 49152", True, 8192),
        *(361_821_120, "f8027fd0eaeea54caa13c31d31b9fdc459c38b49"),
    ),
    "smollm2-1.7b": (
        *("HuggingFaceTB/SmolLM2-1.7B", "llama", "2048 8192 24 32 32 49152", True, 8192),
        *(1_711_376_384, "effd688a12921b4cc83e3312b6feb579f70f9c71"),
    ),
    "smollm3-3b": (
        *("HuggingFaceTB/SmolLM3-3B-Base", "smollm3", "2048 11008 36 16 4 128256", True, 65536),
        *(3_075_098_624, "d78a42f79198603e614095753484a04c10c2b940"),
    ),
}


def _published() -> dict[str, Published]:
    found = {}
    for size, (shape, tied, total, base, post, stored) in _QWEN3.items():
        is_mixture = size == "30B-A3B"
        kind, experts = ("qwen3_moe", _EXPERTS) if is_mixture else ("qwen3", {})
        # The card: 3.3B activated; counted without the embedding table.
        active = 3_353_032_704 - 151_936 * 2048 if is_mixture else None
        for name, repository, revision, positions in (
            (f"qwen3-{size.lower()}-base", f"Qwen/Qwen3-{size}-Base", base, 32768),
            (f"qwen3-{size.lower()}", f"Qwen/Qwen3-{size}", post, 40960),
        ):
            if revision is not None:
                config = _config(kind, shape, tied=tied, positions=positions, head_dim=128, **experts)
                twice = stored if name.endswith("b") else None
                found[name] = Published(
                    repository=repository, revision=revision, total=total, config=config, active=active, stored=twice
                )
    for size, (shape, tied, total, base, post) in _LLAMA.items():
        for suffix, revision in (("", base), ("-Instruct", post)):
            config = _config("llama", shape, tied=tied, positions=131072)
            repository = f"meta-llama/Llama-{size}{suffix}"
            name = f"llama-{size}{suffix}".lower()
            found[name] = Published(repository=repository, revision=revision, total=total, config=config)
    for name, (repository, kind, shape, tied, positions, total, commit) in _OTHERS.items():
        config = _config(kind, shape, tied=tied, positions=positions)
        found[name] = Published(repository=repository, revision=commit, total=total, config=config)
    return found


PUBLISHED = _published()
