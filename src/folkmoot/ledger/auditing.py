"""The full audit of a log: every entry hashed anew, every tile rebuilt, every known head compared.

It takes nothing on trust but the signed head. Where the store is wrong it says what exactly; where
an entry and its hash disagree, the one that was changed is the one that does not lead to the signed
root.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .errors import LedgerError, MirrorError
from .heads import check_older
from .mirror import FileTiles, Mirror
from .notes import Checkpoint, NoteVerifier, open_note
from .tilepaths import TileName, names_of
from .tiles import TILE_WIDTH, MemoryStore, TileStore, Tree
from .tree import HASH_BYTES, leaf_hashes

MAX_FINDINGS = 100
"""So many findings are kept in words; further ones are counted."""

_MOST_LOST = 20_000
"""After so many findings among the entries no more of them are read: a head can promise more
entries than anybody has."""
_TOLD_SINGLY = 3
"""So many wrong entries of one tile are each named."""

ReadBundle = Callable[[int, int], Sequence[bytes]]
"""Gives the entries from a number divisible by 256 up to another, at most 256 of them. It raises
:class:`~folkmoot.ledger.LedgerError` where it does not have them."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found. True in a condition exactly where nothing is wrong."""

    head: Checkpoint
    """The head that was believed."""
    findings: tuple[str, ...]
    """What is wrong, a sentence each, from the leaves up; at most 100."""
    more: int
    """How many findings there are beyond these."""
    checked: tuple[str, ...]
    """What was found to be right, a sentence each."""

    def __bool__(self) -> bool:
        return not self.findings


def audit_log(
    head: Checkpoint,
    tiles: TileStore,
    entries: ReadBundle,
    *,
    older: Iterable[Checkpoint] = (),
) -> Audit:
    """Hold a log's entries and tiles against its signed head, and that against earlier ones.

    Reads every entry and every tile once, and keeps 32 bytes an entry in memory.

    Args:
        head: the head to believe; see :func:`~folkmoot.ledger.open_note` first.
        tiles: where the log keeps its tiles.
        entries: where it keeps its entries.
        older: further heads that the log signed. Each must be a beginning of this log.

    Raises OSError, and what else the stores raise that is no
    :class:`~folkmoot.ledger.LedgerError`.
    """
    leaves = _Leaves(head.size)
    for index in range(-(-head.size // TILE_WIDTH)):
        leaves.read(index, tiles, entries)
        if len(leaves.said) > _MOST_LOST:
            leaves.lost = True
            leaves.said.append((index + 1, "So much is missing that the rest was not looked at."))
            break
    best = leaves.find_tree(head.root, tiles)
    findings = leaves.tell()
    checked = []
    if best is None:
        findings.append("Without them the root cannot be worked out: nothing else was compared.")
    else:
        findings += _find_wrong_tiles(best, tiles)
        if best.root() != head.root:
            findings.append(
                f"The {head.size} entries lead to another root than the one that was signed: they "
                f"are not the log whose head this is."
            )
        if not findings:
            checked.append(f"The {head.size} entries and their tiles lead to the signed root.")
        for one in older:
            answer = check_older(one, head, best.root)
            (checked if answer else findings).append(answer.reason)
    kept = tuple(findings[:MAX_FINDINGS])
    return Audit(head, kept, len(findings) - len(kept), tuple(checked))


def audit_mirror(
    folder: Path, keys: Sequence[NoteVerifier], *, older: Iterable[Checkpoint] = ()
) -> Audit:
    """The same for the mirror in ``folder``, whose head one of ``keys`` must have signed.

    Raises:
        MirrorError: there is no head in the folder.
        NoteError: the head is malformed, or none of ``keys`` signed it.
        OSError: a file cannot be read.
    """
    mirror = Mirror(folder)
    note = mirror.find_checkpoint()
    if note is None:
        raise MirrorError(f"{folder} is no mirror of a log: it has no file named checkpoint.")
    head = Checkpoint.from_text(open_note(note, keys).text)
    return audit_log(head, FileTiles(folder, head.size), mirror.read_bundle, older=older)


@dataclass(slots=True)
class _Row:
    """What the entries of one tile hash to, and what the tile holds, where the two differ."""

    by_entries: bytes
    by_tile: bytes


@dataclass(slots=True)
class _Leaves:
    """The lowest level of the tree, by the entries and by the tiles."""

    size: int
    tree: Tree = field(default_factory=lambda: Tree(MemoryStore()))
    unlike: dict[int, _Row] = field(default_factory=dict)
    said: list[tuple[int, str]] = field(default_factory=list)
    """What else is wrong, behind the number of the tile."""
    lost: bool = False
    judged: Mapping[int, bytes] | None = None
    """For each tile in ``unlike`` the row that leads to the signed root, once that is known."""

    def read(self, index: int, tiles: TileStore, entries: ReadBundle) -> None:
        begin = index * TILE_WIDTH
        width = min(TILE_WIDTH, self.size - begin)
        name = TileName(0, index, width)
        by_tile, wrong = _read_tile(tiles, name)
        if wrong:
            self.said.append((index, wrong))
        by_entries = b""
        try:
            found = entries(begin, begin + width)
            by_entries = b"".join(leaf_hashes(found))
            if len(found) != width:
                by_entries = b""
                self.said.append(
                    (
                        index,
                        f"Of the entries {begin} to {begin + width - 1} {len(found)} are there.",
                    )
                )
        except LedgerError as missing:
            self.said.append((index, str(missing)))
        row = by_entries or by_tile
        if by_entries and by_tile and by_entries != by_tile:
            self.unlike[index] = _Row(by_entries, by_tile)
        if not row:
            self.lost = True
        if not self.lost:
            self.tree.append(_split(row))

    def find_tree(self, root: bytes, tiles: TileStore) -> Tree | None:
        """The tree that leads to ``root``, else that of the entries; None where leaves are lost."""
        if self.lost:
            return None
        if not self.unlike or self.tree.root() == root:
            self.judged = {index: row.by_entries for index, row in self.unlike.items()}
            return self.tree
        for choice in self._choices(tiles):
            tree = self._rebuild(choice)
            if tree.root() == root:
                self.judged = choice
                return tree
        return self.tree

    def _choices(self, tiles: TileStore) -> Iterable[dict[int, bytes]]:
        """Which of two unlike rows to believe: all tiles, or each time what the level above holds.

        Nothing stands above the last tile while it is partial; it is tried both ways.
        """
        yield {index: row.by_tile for index, row in self.unlike.items()}
        choice: dict[int, bytes] = {}
        for index, row in self.unlike.items():
            above = _hash_above(tiles, index, self.size)
            choice[index] = row.by_tile if _root(row.by_tile) == above else row.by_entries
        yield dict(choice)
        last = self.size // TILE_WIDTH
        if last in choice:
            choice[last] = self.unlike[last].by_tile
            yield choice

    def _rebuild(self, choice: Mapping[int, bytes]) -> Tree:
        store = self.tree.store
        fresh = Tree(MemoryStore())
        for index in range(-(-self.size // TILE_WIDTH)):
            fresh.append(_split(choice.get(index) or store.read_tile(0, index)))
        return fresh

    def tell(self) -> list[str]:
        """What is wrong at this level, in the order of the log."""
        said = list(self.said)
        for index, row in self.unlike.items():
            pairs = zip(_split(row.by_entries), _split(row.by_tile), strict=True)
            wrong = [
                index * TILE_WIDTH + at for at, (one, other) in enumerate(pairs) if one != other
            ]
            if len(wrong) > _TOLD_SINGLY:
                which = f"{len(wrong)} entries, {wrong[0]} the first and {wrong[-1]} the last, do"
                said.append((index, self._tell_unlike(index, which)))
            else:
                said += [(index, self._tell_unlike(index, f"Entry {at} does")) for at in wrong]
        return [sentence for _, sentence in sorted(said, key=lambda one: one[0])]

    def _tell_unlike(self, index: int, which: str) -> str:
        said = f"{which} not hash to what tile {index} of level 0 holds"
        if self.lost:
            return f"{said}."
        if self.judged is None:
            return f"{said}; neither of the two leads to the signed root."
        if self.judged[index] == self.unlike[index].by_entries:
            return f"{said}: the tile was changed, for the entries lead to the signed root."
        return f"{said}: the entry was changed, for the tile leads to the signed root."


def _find_wrong_tiles(tree: Tree, tiles: TileStore) -> list[str]:
    """What is wrong above the leaves, where ``tree`` has what ought to be there."""
    said = []
    for name in names_of(tree.size):
        if name.level == 0:
            continue
        held, wrong = _read_tile(tiles, name)
        if wrong:
            said.append(wrong)
            continue
        right = tree.read_tile(name.level, name.index, name.width)
        for at, (one, other) in enumerate(zip(_split(held), _split(right), strict=True)):
            if one != other:
                below = name.index * TILE_WIDTH + at
                said.append(
                    f"Tile {name.index} of level {name.level} does not hold what tile {below} of "
                    f"level {name.level - 1} hashes to: it was changed."
                )
    return said


def _read_tile(tiles: TileStore, name: TileName) -> tuple[bytes, str]:
    """The tile's hashes, or a sentence that says why there are none."""
    try:
        held = tiles.read_tile(name.level, name.index)
    except LedgerError as wrong:
        return b"", str(wrong)
    if len(held) < name.width * HASH_BYTES:
        return b"", (
            f"Tile {name.index} of level {name.level} ({name.path}) should hold {name.width} "
            f"hashes and holds {len(held) // HASH_BYTES}."
        )
    return held[: name.width * HASH_BYTES], ""


def _hash_above(tiles: TileStore, index: int, size: int) -> bytes:
    """What level 1 holds for a tile of level 0; empty where it holds nothing for it."""
    if index >= size // TILE_WIDTH:
        return b""
    above, at = divmod(index, TILE_WIDTH)
    width = min(TILE_WIDTH, size // TILE_WIDTH - above * TILE_WIDTH)
    held, _ = _read_tile(tiles, TileName(1, above, width))
    return held[at * HASH_BYTES : (at + 1) * HASH_BYTES]


def _root(row: bytes) -> bytes:
    tree = Tree(MemoryStore())
    tree.append(_split(row))
    return tree.root()


def _split(row: bytes) -> list[bytes]:
    return [row[at : at + HASH_BYTES] for at in range(0, len(row), HASH_BYTES)]
