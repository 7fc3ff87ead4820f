"""pass@k of 10,000 problems at 8 ks with 10,000 bootstraps, beside scipy's bootstrap: called from `tests.bench`."""

import time

import numpy as np

from analysis.passk.resampling import resampled_means
from analysis.passk.sample import Sample

PROBLEMS, DRAWS, KS = 10_000, 10_000, (1, 2, 4, 8, 16, 32, 64, 128)
PEER_DRAWS = 200  # scipy's is timed on these and scaled: whole, it takes minutes


def main() -> None:
    """Same samples for all problems, and the worst case of all problems different."""
    from scipy.stats import bootstrap

    rng = np.random.default_rng(0)
    p = rng.beta(0.4, 1.2, PROBLEMS)
    for name, n in (
        ("128 samples each", np.full(PROBLEMS, 128)),
        ("128 to 1,127 samples", 128 + rng.integers(0, 1000, PROBLEMS)),
    ):
        c = rng.binomial(n, p)
        start = time.process_time()
        sample = Sample.of(
            (f"p{i:05d}", int(size), int(found)) for i, (size, found) in enumerate(zip(n, c, strict=True))
        )
        values = sample.matrix(KS)
        resampled_means(values, draws=DRAWS)
        ours = time.process_time() - start
        start = time.process_time()
        bootstrap((values,), np.mean, axis=0, n_resamples=PEER_DRAWS, method="percentile", batch=20, rng=rng)
        theirs = (time.process_time() - start) * DRAWS / PEER_DRAWS
        print(
            f"pass@k, {PROBLEMS} problems with {name}, {len(KS)} ks, {DRAWS} bootstraps: {ours:.2f} s of CPU; "
            f"scipy.stats.bootstrap of the values alone, scaled from {PEER_DRAWS}: {theirs:.2f} s; "
            f"ratio {ours / theirs:.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
