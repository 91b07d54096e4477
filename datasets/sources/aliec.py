"""AliEC (Tianchi 56), clicks on advertisements, and the synthetic log that stands in for it."""

from __future__ import annotations

from pathlib import Path

from retrieval_leaderboard.datasets.aliec import generated, published, reader
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.sources.download import Download
from retrieval_leaderboard.datasets.sources.folders import cache_dir
from retrieval_leaderboard.datasets.sources.source import Source

_ALIYUN = "https://dataworks-dataset-cn-shanghai.oss-cn-shanghai.aliyuncs.com/public-datasets"
MANUAL = (
    "get raw_sample.csv, ad_feature.csv and user_profile.csv from Tianchi "
    "(https://tianchi.aliyun.com/dataset/56, needs an account) or Kaggle "
    "(pavansanagapati/ad-displayclick-data-on-taobaocom) and put them into <data-dir>/aliec, or name their "
    "folder by --data-dir"
)


def _read(folder: Path) -> Log:
    return reader.load(folder, cache_dir())


SOURCES = (
    Source(
        "aliec-sim",
        ("time",),
        reader.find,
        _read,
        absent="embedded",
        generate=lambda scale: generated.load(cache_dir(), scale),
    ),
    Source(
        "aliec",
        ("time",),
        reader.find,
        _read,
        Download(
            dict.fromkeys(published.FILES, ""),
            (_ALIYUN + "/L1_commerce/L2_commerce_taobao_adv/commerce_taobao_adv_{stem}.txt",),
            MANUAL,
            published.check,
        ),
        own_names=True,
        absent="manual download",
        fallback="aliec-sim",
    ),
)
