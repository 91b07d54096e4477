"""Where public datasets lie, and how their files are known to be the right ones."""

from __future__ import annotations

from pathlib import Path

from retrieval_leaderboard.datasets.sources.download import Recipe
from retrieval_leaderboard.support.errors import InputError

_GITHUB = "https://raw.githubusercontent.com"
_PYTORCH = _GITHUB + "/gusye1234/LightGCN-PyTorch/HEAD/data"
_TENSORFLOW = _GITHUB + "/kuandeng/LightGCN/HEAD/Data"
_SIMPLEX = _GITHUB + "/xue-pai/SimpleX/HEAD/data"
_RECZOO = "https://huggingface.co/datasets/reczoo"
_ALIYUN = "https://dataworks-dataset-cn-shanghai.oss-cn-shanghai.aliyuncs.com/public-datasets"


def _movielens(name: str, digest: str) -> Recipe:
    return Recipe(
        {f"{name}.zip": digest},
        ("https://files.grouplens.org/datasets/movielens/{file}",),
        f"get {name}.zip from https://grouplens.org/datasets/movielens, its files go into <data-dir>/{name}",
    )


def _lightgcn(name: str, train: str, test: str, *sources: str) -> Recipe:
    return Recipe(
        {"train.txt": train, "test.txt": test},
        tuple(source + "/{file}" for source in sources),
        f"get {sources[-1]}/train.txt and test.txt beside it, and put them into <data-dir>/{name}",
    )


ALIEC_BY_HAND = (
    "get raw_sample.csv, ad_feature.csv and user_profile.csv from Tianchi "
    "(https://tianchi.aliyun.com/dataset/56, needs an account) or Kaggle "
    "(pavansanagapati/ad-displayclick-data-on-taobaocom) and put them into <data-dir>/aliec"
)
_ALIEC_FILES = {
    "user_profile.csv": ("userid,cms_segid,cms_group_id,final_gender_code,age_level", 1_061_768),
    "ad_feature.csv": ("adgroup_id,cate_id,campaign_id,customer,brand,price", 846_811),
    "raw_sample.csv": ("user,time_stamp,adgroup_id,pid,nonclk,clk", 26_557_961),
}
"""file → how its header begins, and its rows; the largest last, to fail early."""


def check_aliec(path: Path) -> None:
    """Compare a file with the published header and row count: no digest of AliEC is published.

    Raises:
        InputError: they differ.
    """
    header, rows = _ALIEC_FILES[path.name]
    with path.open("rb") as file:
        first = file.readline().decode("utf-8", "replace")
        found = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    if not first.startswith(header):
        raise InputError(f"{path.name} begins with '{first.strip()[:80]}', not with '{header}'")
    # The last line may go without its newline.
    if found not in (rows, rows - 1):
        raise InputError(f"{path.name} has {found:,} rows, not the published {rows:,}")


RECIPES: dict[str, Recipe] = {
    "gowalla": _lightgcn(
        "gowalla",
        "git:a27782bd7a1d4d0744148dc0460ea94da74763f2",
        "git:9ed5af4b5d21511f33740b4e22e3852f45671800",
        f"{_PYTORCH}/gowalla",
        f"{_TENSORFLOW}/gowalla",
    ),
    "yelp2018": _lightgcn(
        "yelp2018",
        "git:cda12361055ba448ae4bd1070f6000c16dea8f22",
        "git:30dfbc3437b27b74cb2970b435a5ec93ad9f2468",
        f"{_PYTORCH}/yelp2018",
        f"{_TENSORFLOW}/yelp2018",
    ),
    "amazon-book": _lightgcn(
        "amazon-book",
        "git:6ef55159c5f1fd7f6d86eb9ff290d0cc2854ac99",
        "git:09e5da4e0bf46c751c4ba0f4375e414fd13512cd",
        f"{_PYTORCH}/amazon-book",
        f"{_TENSORFLOW}/amazon-book",
    ),
    # The md5 sums are those printed in the README of each dataset at github.com/reczoo/Datasets.
    "amazon-cds": _lightgcn(
        "amazon-cds",
        "md5:2df6a35cac4373cf3eef95f75568da0a",
        "md5:d29acb66d0fb74bc3bc0791cbbce5cf2",
        f"{_SIMPLEX}/Amazon/AmazonCDs_m1",
        f"{_RECZOO}/AmazonCDs_m1/resolve/main",
    ),
    "amazon-movies": _lightgcn(
        "amazon-movies",
        "md5:3e9d30eacd30330a9feaa0fdb17760ba",
        "md5:c02e5f6579aa51950aa875c462a0204b",
        f"{_SIMPLEX}/Amazon/AmazonMovies_m1",
        f"{_RECZOO}/AmazonMovies_m1/resolve/main",
    ),
    "amazon-beauty": _lightgcn(
        "amazon-beauty",
        "sha256:9a265564ed609041539e78d24ab3a0a6c23d5c1b20131ffb5c7dbda3f86846c9",
        "sha256:6e12ed0177f6acdd2a472cd8d257668bd6769582c5355ed6d2bbd31f59121e15",
        f"{_SIMPLEX}/Amazon/AmazonBeauty_m1",
        f"{_RECZOO}/AmazonBeauty_m1/resolve/main",
    ),
    "citeulike-a": _lightgcn(
        "citeulike-a",
        "md5:f037c7ac8f9d8142bb5fd137ff61ad0c",
        "md5:c9d2de139ac69d480264b6221a567324",
        f"{_SIMPLEX}/CiteULike/CiteUlikeA_m1",
        f"{_RECZOO}/CiteUlikeA_m1/resolve/main",
    ),
    "ml-1m": _movielens("ml-1m", "md5:c4d9eecfca2ab87c1945afe126590906"),
    "ml-100k": _movielens("ml-100k", "md5:0e33842e24a9c977be4e0107933c0723"),
    "aliec": Recipe(
        dict.fromkeys(_ALIEC_FILES, ""),
        (_ALIYUN + "/L1_commerce/L2_commerce_taobao_adv/commerce_taobao_adv_{stem}.txt",),
        ALIEC_BY_HAND,
        check_aliec,
    ),
}
