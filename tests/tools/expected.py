"""Figures that are stated to have changed, each with the commit that changed it and the reason.

A statement holds in comparisons with commits that do not have that one among their ancestors, and in no others.
"""

from tests.tools.differences import Expected

BOARD = "commands / leaderboard *"
NEW_RULE = "commands / leaderboard * --verifications results/verifications / says / *"  # without --ranking 1
RANKING_2 = (
    "ranking 2: prior from the other recipes' spreads, surer at few mazes, pairs shown; --ranking 1 is as it was"
)
DYNAMICS_6 = "limits version 6: watched again where the newer rule may judge otherwise; answers and scores stand"
CONTROLS = "recipes of controls were trained and evaluated: new rows, among which the others rank"
FACTS = ("files", "notes", "provenance")
RETIRED = "no maze leaves its block before the end any longer, and nothing says that none did"
SCHEMA_4 = "schema 4: facts of trainings and machines are fields, notes no longer say them"

EXPECTED = (
    Expected(f"{NEW_RULE} / low", "c2a0f3a", RANKING_2),
    Expected(f"{NEW_RULE} / high", "c2a0f3a", RANKING_2),
    Expected(f"{NEW_RULE} / ranks", "c2a0f3a", RANKING_2),
    Expected(f"{NEW_RULE} / notes", "c2a0f3a", RANKING_2),
    Expected(f"{NEW_RULE} / contracts / ranking", "c2a0f3a", RANKING_2),
    Expected(f"{BOARD} / pairs", "c2a0f3a", RANKING_2),
    Expected(f"{BOARD} / says / *, * / notes", "c2a0f3a", RANKING_2),
    Expected(f"{BOARD} / says / smoke-v1, * / rank", "164dc3c", CONTROLS),
    Expected(f"{BOARD} / says / smoke-v1, * / ranks", "164dc3c", CONTROLS),
    *(
        Expected(place.format(name), "164dc3c", CONTROLS)
        for name in ("dt-net-thin-any", "it-net-thin-any", "dt-net-thin-long", "dt-net-thin-tuned-trees")
        for place in (
            "commands / leaderboard * / rows / {}",
            "commands / ls solvers --verbose / says /  / {}@*",
            "records / smoke-v1/{}@?",
            "solvers / {}",
        )
    ),
    Expected("commands / ls recipes / says / *", "c23b74b", "recipes of controls came"),
    Expected("* / contracts / dynamics", "ccbabc6", DYNAMICS_6),
    Expected("commands / check * / differs", "ccbabc6", DYNAMICS_6),
    Expected("commands / verify * / exit", "ccbabc6", "a record by limits of another version is not run again"),
    Expected("records / smoke-*-v1/* / limits / *", "0997460", DYNAMICS_6),
    Expected("records / smoke-v1/* / limits / *", "1b2c95e", DYNAMICS_6),
    Expected("records / smoke-*/* / odds / *", "0997460", DYNAMICS_6),
    Expected("records / smoke-*/* / rows / betti", "0997460", DYNAMICS_6),
    Expected("records / smoke-v1/dt-net-thin-p50@2 / rows / *", "1b2c95e", DYNAMICS_6),
    Expected("records / smoke-v1/dt-l-kernel-thin@? / rows / *", "1b2c95e", DYNAMICS_6),
    Expected(f"{BOARD} / limits / *", "1b2c95e", DYNAMICS_6),
    Expected(f"{BOARD} / date", "0997460", DYNAMICS_6),
    Expected(
        "commands / evaluate * / limits / * / alignment", "62ea7e0", "watched mazes convolve in two parts: last bits"
    ),
    Expected("records / baselines/smoke-v1/dt-net-thin/0005", "708bbcc", "the fifth baseline was accepted"),
    Expected("commands / check * / baseline", "708bbcc", "the fifth baseline was accepted"),
    Expected("commands / check * / accepted", "708bbcc", "the fifth baseline was accepted"),
    Expected("commands / check * / reason", "708bbcc", "the fifth baseline was accepted"),
    Expected("* / fates / *", "43e7f8c", "nothing is said to wander or drift where nothing was followed"),
    Expected("commands / compare * / measures / wandering", "43e7f8c", "said only where trajectories were followed"),
    Expected("commands / compare * / measures / drifting", "43e7f8c", "said only where trajectories were followed"),
    Expected("commands / compare * / same", "2192dd2", "a comparison says whether both are one record"),
    Expected("commands / compare * / first", "2192dd2", "records of one name are told apart"),
    Expected("commands / compare * / second", "2192dd2", "records of one name are told apart"),
    Expected(f"{BOARD} / training_mazes", "81b5585", "training mazes are a column"),
    Expected("commands / verify * / files*", "52c1983", "verifications lie in a folder of their own"),
    *(Expected(f"records / * / solver / {name}", "b00d6fd", SCHEMA_4) for name in FACTS),
    *(Expected(f"solvers / * / {name}", "b00d6fd", SCHEMA_4) for name in FACTS),
    Expected("commands / evaluate * / says / schema", "b00d6fd", SCHEMA_4),
    Expected("commands / evaluate * / says / made_as", "b00d6fd", SCHEMA_4),
    Expected("commands / evaluate * / says / answers_sha256", "b00d6fd", SCHEMA_4),
    Expected("commands / evaluate * / says / plan / instructions", "b00d6fd", SCHEMA_4),
    *(Expected(f"commands / evaluate * / says / plan / solver / {name}", "b00d6fd", SCHEMA_4) for name in FACTS),
    Expected(
        "commands / findings * / files / *",
        "f2478d9",
        "claims on limits, on starts and on lengths came; rules of evidence",
    ),
)
