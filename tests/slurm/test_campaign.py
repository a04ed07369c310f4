from tests.slurm.campaign import campaign


def test_random_kills_change_no_table_and_repeat_no_finished_node(prepared, undisturbed, tmp_path):
    """A short one; CI also runs `python -m tests.slurm.campaign`, a longer one on more nodes."""
    figures = campaign(prepared, undisturbed.tables(), kills=8, seed=2, folder=tmp_path)
    assert figures.kills.total() == 8 and figures.needless == figures.different == 0, figures
