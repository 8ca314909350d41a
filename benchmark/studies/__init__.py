"""Studies: one package a paper, whose claims are held against what was measured. The rest of extramaze knows none."""
