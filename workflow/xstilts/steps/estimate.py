"""Step: print what a grid takes: jobs, hours, disk, GPU memory; how far the last was off.

The forecast of a job is kept until the job is estimated anew; that of a finished one stays, and is
compared with what the job took.
"""

import argparse
from pathlib import Path

from xstilts.experiment import reference
from xstilts.monitoring import status
from xstilts.monitoring.estimate import fitting, forecast, remaining, text
from xstilts.monitoring.estimate.disk import disk
from xstilts.monitoring.estimate.priorities import priorities
from xstilts.monitoring.estimate.schedule import chains, schedule
from xstilts.monitoring.records import next_run
from xstilts.monitoring.workspace import Workspace
from xstilts.running.errors import UserError
from xstilts.steps import arguments, process


def main(args: argparse.Namespace) -> None:
    """Print the estimate and the comparison; write the forecasts."""
    if args.devices < 1:
        raise UserError("--devices: at least 1")
    here = Workspace.of(args.config, args.name, args.lock, args.directory)
    out = Path(args.out or here.root / f".snakemake/xstilts/estimate-{here.name}.csv")
    grid, nodes, root = here.grid, here.nodes, here.root
    device = args.device or forecast.device_of(grid)
    flops, start = reference.device(device), remaining.start_of(device)
    left = next_run(nodes, here.records)
    done = [key for key in nodes if key not in left and here.records.current(key)]
    forecaster = forecast.Forecaster(grid, nodes, root, done, flops)
    earlier = forecast.read(out)
    found = forecaster.of(key for key in nodes if key in left)
    print("\n".join(status.align(text.jobs(nodes, left, found, start))))
    seconds, least, most = text.device_time(found.values(), start)
    times = {
        key: start + found[key].seconds if key in found else 0.0 for key in nodes if key in left
    }
    needs = {key: nodes[key].needs for key in times}
    takes = {key: one.devices for key, one in found.items()}
    devices = max(args.devices, *takes.values(), 1)
    spans = schedule(times, needs, devices, priorities(grid, nodes, root), takes)
    wall = max((end for _, end in spans.values()), default=0.0)
    chain, order = chains(times, needs), ""
    if found:
        first = max(found, key=chain.__getitem__)
        order = "\n" + text.order(wall, seconds, devices, nodes[first].name, chain[first])
    low, high = (wall * end / seconds if seconds else 0.0 for end in (least, most))
    parameters = {model: size.parameters for model, size in forecaster.models.items()}
    keep = bool(grid.experiment.settings["keep_tuned"] or grid.experiment.settings["test"])
    adapters = {
        model: fitting.adapter_of(entry, forecaster.models[model])
        for model, entry in grid.experiment.settings["models"].items()
    }
    peak, stays = disk(nodes, spans, parameters, keep, adapters)
    print(
        f"\ndevice time: {text.duration(seconds)} ({text.duration(least)} to {text.duration(most)})"
        f"\nwall time, {devices} at a time: {text.duration(wall)}"
        f" ({text.duration(low)} to {text.duration(high)})"
        f"{order}"
        f"\ndisk: {peak / 1e9:.1f} GB of checkpoints and training states at the peak,"
        f" {stays / 1e9:.1f} GB at the end"
        f"\ndevice, where nothing has been measured: {device} (--device names another)"
        "\nNot counted: fetching, encoding, the toy encoder's training, trainings that stop early,"
        " and the disk for rows."
    )
    if fits := fitting.table(grid, forecaster.models, args.memory):
        print("", *status.align(fits), sep="\n")
    if forecaster.assumed:
        print("\nAssumed, before it is there:", *sorted(set(forecaster.assumed)), sep="\n  ")
    if lines := text.compare(earlier, forecaster.measured):
        print("\nEarlier forecasts:", *lines, sep="\n")
    if not (args.out or out.parent.is_dir()):
        return  # nothing has run here: a look makes no folder
    kept = {key: one for key, one in earlier.items() if key in nodes and key not in left}
    try:
        forecast.write(out, [*kept.values(), *found.values()])
    except OSError as error:
        if args.out:
            raise
        process.note(f"{out}: cannot be written ({error.strerror}), so no forecast is kept")


def _sizes(given: str) -> tuple[float, ...]:
    try:
        sizes = tuple(float(part) for part in given.split(","))
    except ValueError:
        sizes = ()
    if not sizes or not all(0 < size < 1e6 for size in sizes):
        raise argparse.ArgumentTypeError(f"`{given}`: numbers of GB, as in 24,80")
    return sizes


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    arguments.add_config(p)
    p.add_argument("--devices", type=int, default=1, help="jobs that run at a time")
    p.add_argument(
        "--device", help="where nothing is measured: v100, a100, ... (toy world: cpu, else a100)"
    )
    p.add_argument(
        "--memory",
        type=_sizes,
        default=fitting.MEMORIES,
        metavar="GB,...",
        help="of the GPUs that it says whether a training fits (default: 24,40,80)",
    )
    p.add_argument(
        "--out", help="CSV of the forecasts, to compare them with later (default: in .snakemake)"
    )
    return p


if __name__ == "__main__":
    process.run(main, parser())
