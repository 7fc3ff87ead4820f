"""What `logs` shows of what verl printed."""

from sweeper.runs.readable_log import readable

LOG = """\
== 2026-11-29T12:41:41+00:00 train
\x1b[36m(TaskRunnerV1 pid=17347)\x1b[0m {'actor_rollout_ref': {'actor': {'_target_': 'verl.FSDPActorConfig',
\x1b[36m(TaskRunnerV1 pid=17347)\x1b[0m                                  'calculate_entropy': False,
\x1b[36m(TaskRunnerV1 pid=17347)\x1b[0m  'trainer': {'n_gpus_per_node': 1}}
\x1b[36m(TaskRunnerV1 pid=17347)\x1b[0m step:1 - actor/entropy:0.26 - critic/rewards/mean:0.35
\x1b[36m(TaskRunnerV1 pid=17347)\x1b[0m  "np.float64(0.3125), 'val-aux/stem__synthetic/reward/mean@1': "
Loading weights:   0%|          |\rLoading weights: 100%|██████████| 50/50

error: \x1b]52;c;ZXZpbA==\x07 no memory
"""


def test_a_log_is_read_without_colours_bars_in_the_making_and_verls_dump() -> None:
    assert list(readable(LOG.split("\n"))) == [
        "== 2026-11-29T12:41:41+00:00 train",
        "(3 lines of what verl prints of its configuration and metrics left out; --raw has all)",
        "step:1 - actor/entropy:0.26 - critic/rewards/mean:0.35",
        "(1 line of what verl prints of its configuration and metrics left out; --raw has all)",
        "Loading weights: 100%|██████████| 50/50",
        r"error: \u001b]52;c;ZXZpbA==\u0007 no memory",
    ]


def test_a_bar_is_its_last_state_and_other_words_that_were_drawn_over_stay() -> None:
    bars = "Updating files:  10% (1/9)\rUpdating files: 100% (9/9), done.\r\n"
    assert list(readable([bars, "no memory\rall is well", "3it [00:01, 2.5it/s]\r4it [00:02, 2.4it/s]\r\r\n"])) == [
        "Updating files: 100% (9/9), done.",
        "no memory",
        "all is well",
        "4it [00:02, 2.4it/s]",
    ]


def test_a_line_is_cut_where_nobody_reads_on() -> None:
    (line,) = readable([f"step:1 - {'x' * 5000}"])
    assert (len(line), line[-1]) == (241, "…")
