"""The work of one epoch on a GPU: matrices and text go there, slices follow each other, and the matrices come back."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.training import epoch
from w2v.training.cuda import concurrency, layout, pieces
from w2v.training.cuda.layout import COUNTERS, PART, PLAN, WARP
from w2v.training.cuda.memory import Address, Memory
from w2v.training.cuda.pieces import Piece
from w2v.training.cuda.task import Task
from w2v.training.schedule import Schedule
from w2v.training.workers import TICK

# Slices queued on the device, and how many seconds one should take: Ctrl-C waits for those that are queued.
QUEUED_SLICES = 2
SHORTEST, LONGEST = 0.008, 0.025

# How often the end of a slice is looked for, in seconds.
GLANCE = 2e-4


class Load(NamedTuple):
    """A piece that is copied to the device, or is about to be."""

    piece: Piece
    addresses: dict[str, Address]
    copying: Iterator[None]  # a step copies a block


class Slice(NamedTuple):
    """Survivors that are trained by one launch."""

    mark: Any  # behind it
    survivors: int
    position: int  # of the first word behind it
    queued: float  # when


class Work:
    """All that is on the device for one epoch, or for the part of one that is left.

    Attributes
    ----------
    paused, not_finite : bool, why training ended before the corpus did
    is_lost : bool, True if the matrices hold a part of what was learnt
    busy : float, seconds in which slices were trained
    """

    def __init__(
        self,
        device: Any,
        task: Task,
        claimed: ExitStack,
        progress: epoch.Progress,
        key: int,
        schedule: Schedule,
        bar: Any,
        pause: Callable[[], bool],
    ) -> None:
        self.paused = self.not_finite = self.is_lost = False
        self._device, self._task, self._progress, self._schedule = device, task, progress, schedule
        self._bar, self._pause = bar, pause
        self._device.enter()
        self._memory = Memory(self._device, claimed)
        self._plan, self._part = np.zeros(1, PLAN), np.zeros(1, PART)
        self._part["key"] = key
        self._part["alpha"], self._part["slope"], self._part["horizon"] = schedule
        self._queued: deque[Slice] = deque()
        self._ahead: Iterator[None] = iter(())
        self._is_equipped, self._half = False, 0
        self._reached, self._survivors = progress.position, 0
        self._ticked, self._ended_last = time.monotonic(), 0.0
        self.busy = 0.0

    # --- what does not depend on the part -----------------------------------------------------------------------------

    def _equip(self, first: epoch.Checked) -> None:
        """Claim memory for matrices and tables, and copy them."""
        memory, task = self._memory, self._task
        shape = task.shape()
        self._program = self._device.program(shape.variant)
        frequencies = concurrency.kept_frequencies(task.counts, task.tables.get("keep"))
        hottest = max(concurrency.hottest_row(task, frequencies), _heaviest_tag(first))
        most = concurrency.most_warps(self._schedule.horizon, hottest)
        self._launch = concurrency.arranged(self._device, self._program["train"], shape.workspace, most)
        self._slice = self._launch.warps * layout.STRETCH
        arrays = task.matrices | task.tables
        if "nodes" in arrays:
            of = arrays["paths"], arrays["points"], len(arrays["nodes"])
            shares = concurrency.shares_of_nodes(frequencies, *of, self._launch.warps)
            arrays |= {} if shares is None else {"shares": shares}
        workspace = 0 if self._launch.shared else self._launch.warps * shape.workspace
        self._left = memory.left_beside(task.matrices, arrays, workspace)
        addresses = {name: memory.claim(array.nbytes) for name, array in arrays.items()}
        self._part["workspace"] = memory.claim(workspace) if workspace else 0
        self._part["counters"] = memory.claim(COUNTERS.itemsize)
        for matrix in task.matrices.values():
            self._device.pin(matrix)  # they go there and back in every epoch
        for name, array in arrays.items():
            self._serve_all(memory.copying(array, addresses[name]))
        self._serve_all(memory.copying(np.zeros(1, COUNTERS), int(self._part["counters"][0])))
        self._plan = task.plan(shape, addresses)
        self._is_equipped = True

    # --- a part of the corpus -----------------------------------------------------------------------------------------

    def train(self, batches: Iterable[epoch.Checked]) -> None:
        """Train the parts of a corpus from where progress is, until all are trained or a pause is wanted."""
        origin, begin = 0, self._progress.position
        for part in batches:
            if not self._is_equipped:
                self._equip(part)
            if begin < len(part.encoded.tokens):
                self._train_part(part, begin, origin)
            if self._is_over:
                return
            origin += len(part.encoded.tokens)
            begin = max(0, begin - len(part.encoded.tokens))
            self._look()  # a slow corpus never fills the queue
        self._drain()

    @property
    def _is_over(self) -> bool:
        return self.paused or self.not_finite

    def _train_part(self, part: epoch.Checked, begin: int, origin: int) -> None:
        loads = self._loads(part, begin, origin)
        load = next(loads, None)
        while load is not None and not self._is_over:
            self._serve_all(load.copying)
            following = next(loads, None)
            self._ahead = iter(()) if following is None else following.copying
            self._train_piece(load.piece, load.addresses, origin + load.piece.before)
            load = following

    def _loads(self, part: epoch.Checked, begin: int, origin: int) -> Iterator[Load]:
        """The part as it fits: whole, if it can be, or in pieces that are copied while those before are trained."""
        tokens, sentences = len(part.encoded.tokens), len(part.encoded.offsets) - 1
        tags = len(part.encoded.tags.rows) if part.encoded.tags is not None and part.most_tags else 0
        is_all = tokens == self._schedule.horizon
        size = layout.tokens_bytes(tokens, sentences, tags) + layout.survivors_bytes(tokens, sentences)
        if is_all and self._memory.holds(part.encoded.tokens):
            size -= layout.tokens_bytes(tokens, sentences, 0)
        if size <= self._left and tokens <= layout.MOST_TOKENS:
            yield self._load(pieces.whole_piece(part, begin), held=is_all)
            return
        # Two pieces at a time, and what their windows reach.
        words = min(int(self._left / 3 / (size / tokens)), layout.MOST_TOKENS)
        if words < layout.TILE:
            raise MemoryError(
                f"{self._device.name} has no room for text beside the matrices ({self._left / 2**20:,.1f} MiB are "
                "left); lower vector_size, raise min_count, or use device='cpu'"
            )
        window, keep = self._task.options["window"], self._task.tables.get("keep")
        for piece in pieces.pieces_of(part, begin, words, window, origin, int(self._part["key"][0]), keep):
            yield self._load(piece)

    def _load(self, piece: Piece, held: bool = False) -> Load:
        """Make room in the half of memory that the piece before does not use; the one before that has ended."""
        arrays: dict[str, NDArray[Any]] = {"tokens": piece.tokens, "offsets": piece.offsets}
        if piece.tags is not None:
            arrays |= {"tags": piece.tags.rows, "tag_offsets": piece.tags.offsets}
        addresses: dict[str, Address] = {}
        copying: list[Iterator[None]] = []
        if held:
            addresses, copies = self._memory.holding(arrays.pop("tokens"), arrays.pop("offsets"))
            addresses, copying = dict(addresses), [copies]
        self._half = 1 - self._half
        for name, array in arrays.items():
            addresses[name] = self._memory.room(f"{name} {self._half}", array.nbytes)
            copying.append(self._memory.copying(array, addresses[name]))
        return Load(piece, addresses, chain.from_iterable(copying))

    def _train_piece(self, piece: Piece, addresses: dict[str, Address], origin: int) -> None:
        """Find the survivors of a piece, and queue slices of them until all are queued."""
        part, device, program, launch = self._part, self._device, self._program, self._launch
        n_tokens, n_sentences = len(piece.tokens), len(piece.offsets) - 1
        tiles = -(-n_tokens // layout.TILE)
        for name in ("tokens", "offsets", "tags", "tag_offsets"):
            part[name] = addresses.get(name, 0)
        sizes = {
            "tiles": 4 * (tiles + 1),
            "kept": 4 * n_tokens,
            "places": 4 * n_tokens,
            "firsts": 4 * (n_sentences + 1),
        }
        for name, size in sizes.items():
            part[name] = self._memory.room(name, size)
        part["n_tokens"], part["n_sentences"], part["origin"] = n_tokens, n_sentences, origin
        device.join()
        threads = WARP * layout.WARPS_OF_A_BLOCK
        for name, blocks in (
            ("count_survivors", -(-tiles // layout.WARPS_OF_A_BLOCK)),
            ("sum_tiles", 1),
            ("gather_survivors", -(-tiles // layout.WARPS_OF_A_BLOCK)),
            ("find_sentences", n_sentences // threads + 1),
        ):
            device.launch(program[name], blocks, WARP if name == "sum_tiles" else threads, 0, self._plan, part)
        self._wait(device.mark())
        survivors = self._number("tiles", tiles)
        first = self._survivors_before(piece.begin, survivors)
        last = survivors if piece.end == n_tokens else self._survivors_before(piece.end, survivors)
        while first < last and not self._is_over:
            end = min(first + self._slice, last)
            part["begin"], part["end"] = first, end
            device.launch(program["train"], launch.blocks, launch.threads, launch.shared, self._plan, part)
            device.launch(program["look_for_nan"], -(-self._task.output_stride // WARP), WARP, 0, self._plan, part)
            place = piece.end if end == last else self._number("places", end)
            self._queued.append(Slice(device.mark(), end - first, origin + place, time.monotonic()))
            first = end
            while len(self._queued) >= QUEUED_SLICES:
                self._look(wait=True)
        if not self._queued and not self._is_over:
            self._reached = origin + piece.end  # also where nothing has survived

    def _number(self, name: str, place: int) -> int:
        found = np.zeros(1, np.uint32)
        self._device.download(found, int(self._part[name][0]) + 4 * place)
        return int(found[0])

    def _survivors_before(self, place: int, survivors: int) -> int:
        low, high = 0, survivors if place else 0
        while low < high:
            middle = (low + high) // 2
            if self._number("places", middle) < place:
                low = middle + 1
            else:
                high = middle
        return low

    # --- waiting --------------------------------------------------------------------------------------------------

    def _serve_all(self, copying: Iterator[None]) -> None:
        for _ in copying:
            self._look()

    def _wait(self, mark: Any) -> None:
        while not self._device.reached(mark):
            if next(self._ahead, self) is self:  # the next piece is there, or there is none
                time.sleep(GLANCE)
            self._tick()

    def _look(self, wait: bool = False) -> None:
        """Take note of slices that have ended; with `wait`, of one at least."""
        self._tick()
        while self._queued:
            if wait:
                self._wait(self._queued[0].mark)
            elif not self._device.reached(self._queued[0].mark):
                return
            wait = False
            ended, now = self._queued.popleft(), time.monotonic()
            took = now - max(ended.queued, self._ended_last)
            self._ended_last, self._reached, self._survivors = now, ended.position, self._survivors + ended.survivors
            self.busy += took
            if took < SHORTEST:
                self._slice *= 2
            elif took > LONGEST:
                self._slice = max(self._launch.warps * layout.STRETCH, self._slice // 2)
            self.not_finite = bool(self._counters()["not_finite"])

    def _drain(self) -> None:
        while self._queued:
            self._look(wait=True)

    def _counters(self) -> Any:
        found = np.zeros(1, COUNTERS)
        if self._is_equipped:
            self._device.download(found, int(self._part["counters"][0]))
        return found[0]

    def _tick(self) -> None:
        """What has to be done now and then: hear a stop, show progress."""
        if time.monotonic() - self._ticked < TICK:
            return
        self._ticked = time.monotonic()
        self.paused = self._pause() or self.paused
        if not self._bar.disable:
            self._show(self._counters())

    def _show(self, counters: Any) -> None:
        shown = {"alpha": f"{self._schedule.at(self._reached):.4f}"}
        if loss := self._progress.loss + float(counters["loss"]):
            shown["loss"] = f"{loss / max(self._progress.examples + int(counters['examples']), 1):.3f}"
        self._bar.set_postfix(shown, refresh=False)
        self._bar.update(self._reached - self._bar.n)

    def bring_back(self) -> None:
        """Wait for what is queued, and take over what was learnt, and how far it has come."""
        if not self._is_equipped:
            return
        self._pause = lambda: False  # what is queued ends in a moment, and must not be left half done
        self._ahead = iter(())
        self._drain()
        self._wait(self._device.mark())  # a launch that nobody has noted: Ctrl-C came in between
        counters, progress = self._counters(), self._progress
        self.is_lost = True
        for name, matrix in self._task.matrices.items():
            self._device.download(matrix, int(self._plan[name][0]))
        if not self._bar.disable:
            self._show(counters)
        progress.words += self._reached - progress.position
        progress.position = self._reached
        progress.survivors += self._survivors
        progress.examples += int(counters["examples"])
        progress.losses = [progress.loss + float(counters["loss"])]
        self.not_finite = bool(counters["not_finite"])
        self.is_lost = False


def _heaviest_tag(part: epoch.Checked) -> float:
    """The share of a part's words that the most frequent document has."""
    if part.encoded.tags is None or not part.most_tags or not len(part.encoded.tokens):
        return 0.0
    words = np.repeat(np.diff(part.encoded.offsets), np.diff(part.encoded.tags.offsets))
    return float(np.bincount(part.encoded.tags.rows, words).max()) / len(part.encoded.tokens)
