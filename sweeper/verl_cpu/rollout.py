"""verl's rollout on CPU: one Ray actor a replica that batches requests and generates with `CpuEngine`."""

import asyncio
import os
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable
from typing import Any, NamedTuple

import ray
import torch
from verl.workers.rollout.base import BaseRollout
from verl.workers.rollout.replica import RolloutReplica, TokenOutput

from sweeper.generation.cpu import CpuEngine, stop_ids
from sweeper.generation.sampling import Sample, Sampling

SERVER_NAME = "hf_cpu_server"
# Requests of one step arrive within this long of each other.
GATHER_SECONDS = 0.01


class _Key(NamedTuple):
    """How to draw: requests that agree in it are generated together."""

    temperature: float
    top_p: float
    top_k: int
    stops: tuple[int, ...]  # tokens that end a completion beside the model's own


class _Request(NamedTuple):
    key: _Key
    prompt: list[int]
    max_tokens: int
    answer: "asyncio.Future[Sample]"


class CpuServer:
    """Holds the model of one replica; weights come from the trainer before every step."""

    def __init__(self, config: Any, model_config: Any, replica_rank: int) -> None:
        from transformers import AutoModelForCausalLM

        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
        self._config = config
        model = AutoModelForCausalLM.from_config(model_config.hf_config, dtype=torch.float32)
        eos_ids = stop_ids(model_config.generation_config, model_config.hf_config)
        self._engine = CpuEngine(model, eos_ids=eos_ids, pad_id=model_config.tokenizer.pad_token_id or 0)
        self._seed = f"{config.seed}/{replica_rank}"
        self._global_steps: int | None = None
        self._drawn: dict[_Key, Counter[tuple[int, ...]]] = defaultdict(Counter)  # with these weights
        self._queue: list[_Request] = []
        self._wake: asyncio.Event | None = None
        self._loop: asyncio.Task[None] | None = None

    async def address(self) -> str:
        """Names the server in verl's logs; nothing connects to it."""
        return f"{ray.util.get_node_ip_address()}:{os.getpid()}"

    async def update_weights(self, state: dict[str, torch.Tensor], global_steps: int | None = None) -> None:
        """Take over the trainer's weights.

        Raises:
            ValueError: names are missing or unknown (tied output weights may be missing).
        """
        model = self._engine.model
        missing, unexpected = model.load_state_dict(state, strict=False)
        tied = {"lm_head.weight"} if model.config.tie_word_embeddings else set()
        if unexpected or set(missing) - tied:
            raise ValueError(f"weights do not fit the rollout model: missing {missing}, unknown {unexpected}")
        model.tie_weights()
        self._global_steps = global_steps
        self._drawn.clear()

    async def generate(
        self, request_id: str, prompt_ids: list[int], sampling_params: dict[str, Any], **_: Any
    ) -> TokenOutput:
        """One completion; requests that arrive together are generated together.

        A loop of several turns says by `max_tokens` what is left of its response: `prompt_ids` holds the turns before,
        and how much of it is prompt is not known here.
        """
        del request_id
        if self._loop is None:
            self._wake = asyncio.Event()
            self._loop = asyncio.create_task(self._serve(self._wake))
        room = self._config.prompt_length + self._config.response_length - len(prompt_ids)
        asked = sampling_params.get("max_tokens") or sampling_params.get("max_new_tokens")
        limit = min(asked or self._config.response_length, room)
        key = _Key(
            temperature=float(sampling_params.get("temperature", 1.0)),
            top_p=float(sampling_params.get("top_p", 1.0)),
            top_k=int(sampling_params.get("top_k", -1)),
            stops=tuple(sorted(sampling_params.get("stop_token_ids") or ())),
        )
        answer: asyncio.Future[Sample] = asyncio.get_running_loop().create_future()
        self._queue.append(_Request(key, list(prompt_ids), int(limit), answer))
        assert self._wake is not None
        self._wake.set()
        sample = await answer
        return TokenOutput(
            token_ids=sample.token_ids,
            log_probs=sample.log_probs if sampling_params.get("logprobs") else None,
            stop_reason="completed" if sample.finished else "length",
            num_preempted=0,
            extra_fields={"global_steps": self._global_steps},
        )

    async def _serve(self, wake: asyncio.Event) -> None:
        while True:
            await wake.wait()
            wake.clear()
            seen = -1
            while seen != len(self._queue):  # until arrivals pause
                seen = len(self._queue)
                await asyncio.sleep(GATHER_SECONDS)
            while self._queue:
                key = self._queue[0].key
                batch = [request for request in self._queue if request.key == key]
                self._queue = [request for request in self._queue if request.key != key]
                await self._answer(key, batch)

    async def _answer(self, key: _Key, batch: list[_Request]) -> None:
        limits = [request.max_tokens for request in batch]
        sampling = Sampling(**key._asdict(), max_tokens=max(limits))
        # No count of batches: which requests arrive together is chance.
        seed = f"{self._seed}/{self._global_steps}/{tuple(key[:3])}"
        rows = [request.prompt for request in batch]
        try:
            samples = await asyncio.to_thread(
                self._engine.complete, rows, limits, sampling, seed=seed, earlier=self._drawn[key]
            )
        except Exception as error:  # the boundary to verl: every waiting request must hear of it
            for request in batch:
                request.answer.set_exception(error)
            return
        for request, sample in zip(batch, samples, strict=True):
            request.answer.set_result(sample)

    async def _nothing(self, *_: Any, **__: Any) -> None:
        """The rest of verl's control interface: nothing sleeps, is cached or profiled here."""

    wake_up = sleep = clear_kv_cache = release_kv_cache = resume_kv_cache = _nothing
    start_profile = stop_profile = abort_all_requests = resume_generation = _nothing


class CpuAdapter(BaseRollout):  # type: ignore[misc]  # verl has no types
    """Lives in the training process and pushes weights to the replica's server."""

    def __init__(self, config: Any, model_config: Any, device_mesh: Any, replica_rank: int = -1, **_: Any) -> None:
        super().__init__(config, model_config, device_mesh)
        rank = int(os.environ["RANK"])
        world = self.config.tensor_model_parallel_size * self.config.data_parallel_size
        self._replica_rank = rank // world if replica_rank == -1 else replica_rank
        self._leads = rank % world == 0
        self._server: Any = None

    async def resume(self, tags: list[str]) -> None:
        """Nothing was released."""

    async def release(self) -> None:
        """Host memory is not shared with an accelerator."""

    async def update_weights(
        self,
        weights: Iterable[tuple[str, torch.Tensor]] | AsyncIterator[tuple[str, torch.Tensor]],
        global_steps: int | None = None,
        wire_format: str = "named_tensors",
        **kwargs: Any,
    ) -> None:
        """Send full float32 weights to the server.

        Raises:
            ValueError: unmerged LoRA weights or a delta format; set `actor_rollout_ref.model.lora.merge=True`.
        """
        if wire_format != "named_tensors" or kwargs.get("peft_config") is not None:
            raise ValueError("rollout.name=hf_cpu takes full weights only: set actor_rollout_ref.model.lora.merge=True")
        state: dict[str, torch.Tensor] = {}
        if isinstance(weights, AsyncIterator):
            async for name, tensor in weights:
                state[name] = tensor.detach().to("cpu", torch.float32).clone()
        else:
            for name, tensor in weights:
                state[name] = tensor.detach().to("cpu", torch.float32).clone()
        if not self._leads:
            return
        if self._server is None:
            self._server = ray.get_actor(f"{SERVER_NAME}_{self._replica_rank}")
        await self._server.update_weights.remote(state, global_steps=global_steps)


class CpuReplica(RolloutReplica):  # type: ignore[misc]  # verl has no types
    """Starts the server of one replica on the node of its training processes."""

    async def launch_servers(self) -> None:
        """See `RolloutReplica`."""
        from verl.utils.config import omega_conf_to_dataclass

        node = ray.get_runtime_context().get_node_id()
        if self.workers:
            node = await self.workers[0].__ray_call__.remote(lambda _: ray.get_runtime_context().get_node_id())
        strategy = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(node_id=node, soft=False)
        server = (
            ray.remote(CpuServer)
            .options(
                name=f"{SERVER_NAME}_{self.replica_rank}",
                num_cpus=0,
                max_concurrency=self.max_concurrency,
                scheduling_strategy=strategy,
            )
            .remote(self.config, omega_conf_to_dataclass(self.model_config), self.replica_rank)
        )
        self.servers = [server]
        self._server_handle = server
        self._server_address = await server.address.remote()
