"""Files of Amazon's reviews as the three releases have them."""

from __future__ import annotations

import gzip
from pathlib import Path

from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.datasets.sources import amazon

ROWS_2014 = """AH2L9G3DQHHAJ,0000000116,4.0,1019865600
A2IIIDRK3PRRZY,0000000116,1.0,1395619200
A1TADCM7YWPQ8M,0000000868,4.0,1031702400
A00000262KYZUE4J55XGL,B00DQFZGZ0,5.0,1390003200
AWGH7V0BDOJKB,000013714X,4.0,1383177600
A2IIIDRK3PRRZY,0000000116,5.0,1395619200
"""
ROWS_2018 = """A000000000,A1HP7NVNPFMA4N,5.0,1437436800
0001713353,A1C6M8LCIX4M6M,5.0,1123804800
0001713353,A1REUF3A1YCPHM,1.0,1112140800
B00000JRSB,A1HP7NVNPFMA4N,3.0,1437436800
"""
HEADER = "user_id,parent_asin,rating,timestamp\n"
ROWS_2023 = """AGKASBHYZPGTEPO6LWZPVJWB2BVA,0001713353,5.0,1628643414042
AGKASBHYZPGTEPO6LWZPVJWB2BVA,B07SRWRH5D,4.0,1658002729837
AFKZENTNBQ7A7V7UXW5JJI6UGRYQ,B07SRWRH5D,1.0,1590000000000
"""
READ_2023 = [
    ("AGKASBHYZPGTEPO6LWZPVJWB2BVA", "0001713353", 1628643414),
    ("AGKASBHYZPGTEPO6LWZPVJWB2BVA", "B07SRWRH5D", 1658002729),
    ("AFKZENTNBQ7A7V7UXW5JJI6UGRYQ", "B07SRWRH5D", 1590000000),
]


def put(folder: Path, name: str, text: str) -> Path:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    content = text.encode()
    (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return folder


def read(folder: Path, year: int) -> Log:
    assert amazon.holds(folder)
    return amazon.load(folder, year).log()
