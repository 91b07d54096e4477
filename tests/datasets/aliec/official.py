"""Small hand-written files in the schema of the official ones."""

from pathlib import Path

import numpy as np

from retrieval_leaderboard.datasets.aliec import reader
from retrieval_leaderboard.datasets.log import Log

RAW = """user,time_stamp,adgroup_id,pid,nonclk,clk
30,1494000100,7,430548_1007,0,1
5,1494000200,7,430539_1007,0,1
30,1494000300,100,430548_1007,0,1
30,1494600000,7,430548_1007,0,1
99,1494000000,8,430548_1007,1,0
5,1494000200,20,430548_1007,0,1
"""
ADS = """adgroup_id,cate_id,campaign_id,customer,brand,price
100,11,1,900,NULL,19.9
7,9,2,900,55,100000000.0
8,1,3,901,56,1.0
20,9,4,902,,
"""
PROFILES = (
    "userid,cms_segid,cms_group_id,final_gender_code,age_level,pvalue_level,"
    "shopping_level,occupation,new_user_class_level \r\n"
    "30,10,3,2,3,,3,0,4\r\n"
    "99,11,4,1,4,2,1,0,\r\n"
)
OFFICIAL = {"raw_sample.csv": RAW, "ad_feature.csv": ADS, "user_profile.csv": PROFILES}


def write(folder: Path, **changed: str) -> Path:
    """The three files in `folder`, some with other text."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in OFFICIAL.items():
        (folder / name).write_bytes(changed.get(name.removesuffix(".csv"), text).encode())
    return folder


def load(folder: Path) -> Log:
    return reader.load(folder, folder.parent / "cache")


def assert_same(left: Log, right: Log) -> None:
    for name in ("user", "item", "timestamp", "user_ids", "item_ids", "listed"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name))
    for ours, theirs in (
        (left.user_features, right.user_features),
        (left.item_features, right.item_features),
        (left.context, right.context),
    ):
        assert ours is not None and theirs is not None
        assert ours.description() == theirs.description()
        assert list(ours.columns) == list(theirs.columns)
        for name, column in ours.columns.items():
            for part, array in column.arrays().items():
                other = theirs[name].arrays()[part]
                assert array.dtype == other.dtype
                np.testing.assert_array_equal(array, other)
