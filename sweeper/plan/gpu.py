"""What a GPU of each type can do: published figures of the SXM modules."""

from dataclasses import dataclass

GIB = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One device, by its vendor's data sheet."""

    memory: float  # bytes that CUDA gives to programs, a little less than the name says
    flops: float  # dense bf16 FLOP/s, peak
    bandwidth: float  # bytes/s to its own memory, peak


# NVIDIA's data sheets "A100 80GB" (2021), "H100" and "H200" (2023/24), "HGX B200" (2024, at 1,000 W; half of the FLOP/s
# that it states with sparsity): 80, 80, 141 and 180 GB. The memory is what torch.cuda.get_device_properties reports for
# these modules; of the B200 the total capacity that torch's messages state.
GPUS = {
    "A100": Gpu(memory=79.1 * GIB, flops=312e12, bandwidth=2.04e12),
    "H100": Gpu(memory=79.1 * GIB, flops=989e12, bandwidth=3.35e12),
    "H200": Gpu(memory=139.8 * GIB, flops=989e12, bandwidth=4.8e12),
    "B200": Gpu(memory=178.3 * GIB, flops=2250e12, bandwidth=8.0e12),
}
