"""Ready experiments: what ``rushlight train experiment=NAME`` composes.

Each file here is a task as one would write it oneself: a LightningDataModule that says where the
data are and how they are split, and a LightningModule that says what a step is. The files of
``rushlight/config/conf/experiment`` put them together with an optimizer and a Trainer. All data
ship with the package or are generated.
"""
