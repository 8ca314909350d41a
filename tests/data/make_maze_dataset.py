"""Make the files beside this one with maze-dataset itself: pip install maze-dataset==1.4.2 muutils==0.8.10.

``maze-dataset.npz`` holds connection_list, start_pos, end_pos and the solution of its mazes; ``easy-to-hard`` their
images as its RasterizedMazeDataset draws them, which is the format of easy-to-hard's inputs.npy and solutions.npy.
"""

from pathlib import Path

import numpy as np
from maze_dataset.dataset.rasterized import RasterizedMazeDataset, RasterizedMazeDatasetConfig
from maze_dataset.generation import LatticeMazeGenerators

HERE = Path(__file__).parent
COUNT = 8

PARTS = ("connection_list", "start_pos", "end_pos")

kinds = {
    "dfs": (LatticeMazeGenerators.gen_dfs, {}),
    "percolated": (LatticeMazeGenerators.gen_dfs_percolation, {"p": 0.1}),
}
arrays, inputs, solutions = {}, [], []
for name, (maze_ctor, arguments) in kinds.items():
    config = RasterizedMazeDatasetConfig(
        name=name,
        grid_n=5,
        n_mazes=COUNT,
        endpoints_as_open=True,
        seed=7,
        maze_ctor=maze_ctor,
        maze_ctor_kwargs=arguments,
        endpoint_kwargs={"deadend_start": True, "endpoints_not_equal": True},
    )
    dataset = RasterizedMazeDataset.from_config_augmented(
        config, load_local=False, save_local=False, gen_parallel=False
    )
    mazes = list(dataset.mazes)
    arrays |= {f"{name}_{part}": np.stack([getattr(m, part) for m in mazes]) for part in PARTS}
    arrays[f"{name}_lengths"] = np.array([len(m.solution) for m in mazes])
    arrays[f"{name}_solutions"] = np.concatenate([m.solution for m in mazes])
    batch = np.asarray(dataset.get_batch(None))  # (2, N, x, y, rgb)
    inputs.append(batch[0])
    solutions.append(batch[1])
np.savez_compressed(HERE / "maze-dataset.npz", **arrays)
images = np.concatenate(inputs).transpose(0, 3, 1, 2)
(HERE / "easy-to-hard").mkdir(exist_ok=True)
np.save(HERE / "easy-to-hard" / "inputs.npy", (images > 0).astype(np.uint8))
np.save(HERE / "easy-to-hard" / "solutions.npy", (np.concatenate(solutions)[..., 0] > 0).astype(np.uint8))
