"""How well videos are split: reels with known joins, other splitters, figures, and pictures.

The way through: `reel` makes a video with known joins from single clips, `manifest` reads what is
known, `ours` and `peers` split, `boundaries` says what a boundary is, `matching` compares found
ones with true ones, `measurement` and `figures` put numbers to it, `diagnosis` says what went
wrong at each error, `plot` draws it.
"""
