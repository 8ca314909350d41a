"""Model merging and loss landscapes, asked of solvers that iterate: where extrapolation is lost along a path.

Khan et al., "Deep Model Merging: The Sister of Neural Network Interpretability – A Survey" (arXiv 2410.12927; its first
version was called "SoK: On Finding Common Ground in Loss Landscapes Using Deep Model Merging Techniques"). The survey
names four characteristics of loss landscapes, mode convexity, determinism, directedness and connectivity, and gives no
estimators; the measures are extramaze's own (``extramaze.landscape``).
"""
