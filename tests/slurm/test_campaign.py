from tests.slurm.campaign import campaign


def test_random_kills_change_no_table_and_repeat_no_finished_node(prepared, undisturbed, tmp_path):
    """`python -m tests.slurm.campaign` is the same on a larger grid."""
    figures = campaign(prepared, undisturbed.tables(), kills=30, seed=2, folder=tmp_path)
    print(figures)
    assert figures.kills.total() == 30 and figures.needless == figures.different == 0, figures
