"""Word2Vec: what the user holds while training, under gensim's names.

Settings, vocabulary, matrices, tokens and history are parts from `w2v.vocabulary`, `w2v.tokens` and `w2v.training`; a
`Session` trains. This module says what gensim's methods do with them.
"""

import logging
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v import callbacks as hooks
from w2v.common import checks
from w2v.common.old_names import OldModelNames, new_names_of, warn
from w2v.common.public import public
from w2v.files.reading import Pathlike
from w2v.models import predict
from w2v.models.runs import StopAfter, warn_of_the_unusual
from w2v.models.saved import Saved, class_only
from w2v.terms.phrases import FrozenPhrases
from w2v.terms.steps import steps_of
from w2v.terms.term_map import TermMap
from w2v.text.corpus import Corpus
from w2v.tokens.words import Sentences
from w2v.training import checkpoint as checkpoints
from w2v.training import freezing, session
from w2v.training.cuda import choice
from w2v.training.settings import MOST_ALPHA
from w2v.training.trainable import Trainable
from w2v.vectors import queries
from w2v.vectors.keyed import KeyedVectors
from w2v.vectors.lookup import check_list, refuse_text, whole_or_none
from w2v.vocabulary.choose import TrimRule

logger = logging.getLogger(__name__)

# So many epochs over an iterator are hardly meant: in gensim all but the first would find nothing.
MANY_EPOCHS = 100

# gensim-3 names of parameters.
OLD_PARAMETERS = {"size": "vector_size", "iter": "epochs"}


@public
class Word2Vec(Saved, OldModelNames):
    """Train word vectors with skip-gram or CBOW (Mikolov et al. 2013, arXiv:1301.3781 and arXiv:1310.4546).

    Parameters
    ----------
    sentences : iterable of token lists, optional
        Read once, so a generator will do; tokens are str, or all of them int. Columns of pandas, polars, Arrow and
        Hugging Face's data sets, and `Texts`, are corpora too (docs/inputs.md). Without it (and without `corpus_file`)
        the model stays untrained; call `build_vocab` and `train`.
    corpus_file : path, optional
        A text file with one sentence per line and tokens separated by white space; .gz, .bz2, .xz and .zst are
        decompressed. Or ``.parquet`` or ``.jsonl`` with one column of text; `Texts` names one. Excludes `sentences`.
    vector_size : int, default 100
    alpha : float, default 0.025
        Learning rate of the first word; it falls linearly, word by word, to `min_alpha` at the last one.
    window : int, default 5
        Largest distance between a word and its context words.
    min_count : int, default 5
        Words with fewer occurrences are left out, before windows are cut.
    max_vocab_size : int, optional
        While counting, forget the rarest words whenever more than this many are known.
    sample : float, default 1e-3
        Threshold of subsampling frequent words; 0 keeps all, 1 or more is a count (see `choose.keep_probability`).
    seed : int or None, default 1
        None draws one, which is then in `seed`.
    workers : int, default 3
        Threads; -1 means one per core. With 1 worker the result is the same bytes on every run and every machine;
        more workers update the same matrices without locks (Hogwild, Niu et al. 2011, arXiv:1106.5730), so
        results differ a little from run to run. A corpus is split only into parts of 10,000 words and more.
    min_alpha : float, default 0.0001
    sg : {0, 1}, default 0
        1 for skip-gram, 0 for CBOW.
    hs : {0, 1}, default 0
        1 for hierarchical softmax; it does not switch negative sampling off.
    negative : int, default 5
        Noise words per example; 0 switches negative sampling off.
    ns_exponent : float, default 0.75
        The noise distribution is ``counts ** ns_exponent``.
    cbow_mean : {0, 1}, default 1
        Mean (1) or sum (0) of the context vectors.
    hashfxn : ignored
        Initial vectors depend on `seed` and the word's rank alone.
    epochs : int, default 5
    null_word : {0, 1}, default 0
        1 adds a word that does not occur, as gensim does for Doc2Vec.
    trim_rule : callable, optional
        ``f(word, count, min_count)`` returning ``RULE_DEFAULT``, ``RULE_DISCARD`` or ``RULE_KEEP``.
    sorted_vocab : {0, 1}, default 1
        Order words by descending frequency, ties in reverse order of first appearance.
    batch_words : ignored
        The corpus is encoded once; there are no batches to size.
    compute_loss : bool, default False
        Fill `loss_history`.
    callbacks : iterable
        Objects with ``on_train_begin``, ``on_epoch_begin``, ``on_epoch_end`` and ``on_train_end``, each called with
        the model. Raise `StopTraining` in one to end early.
    comment : str, optional
    max_final_vocab : int, optional
        Raise `min_count` until at most this many words are left.
    shrink_windows : bool, default True
        Draw each word's window from 1 ... `window`.
    shared_negatives : bool, default True
        Draw noise words once per window and use them for each of its pairs; False draws for every pair, which is
        slower and no better. Matters to skip-gram, and to documents (PV-DBOW, where four words share them).
    cbow_corrected : bool, default False
        Pass the exact gradient of the mean (or sum) to the context vectors (Irsoy et al. 2020, arXiv:2012.15332).
        The default is word2vec's: undivided under a mean, divided under a sum.
    tied : bool, default False
        Let a word's output vector be its input vector: one matrix, trained by both roles. Words that stand together
        are then drawn together (docs/spaces.md). Needs `negative`.
    deterministic : bool, default False
        Give the same bytes for any number of workers, at some cost in speed (docs/deterministic.md). They are other
        bytes than those of one worker without it. Needs the corpus cached.
    tokenizer : {"simple", "simple_preprocess", "whitespace"}, optional
        What the words of raw text are, in this corpus and in every later one: ``"simple"`` takes letters and digits of
        any script in one case, without punctuation; see docs/inputs.md. `sentences` may then be texts. Token lists are
        left as they are.
    cache : {"auto", "memory", "disk", "none"}, default "auto"
        Where the encoded corpus (4 bytes a word) lives: in memory up to 1 GiB and in a temporary file beyond,
        always in memory, always in a file, or nowhere: then the corpus is read again in every epoch.
    device : {'cpu', 'cuda', 'auto'}, default 'cpu'
        Where to train: threads of this machine, the first NVIDIA GPU (the extra ``w2v[cuda]``), or a GPU if there is
        one and the corpus is long enough for it to pay. On a GPU results differ a little from run to run; see
        docs/gpu.md.
    progress : bool, optional
        Show progress bars on stderr; by default only if that is a terminal.
    phrases : Phrases, FrozenPhrases or list of them, optional
        Phrases that become one word each, in this corpus and in every later one, while it is read; see docs/phrases.md.
        The model keeps them, frozen, in `steps`; then ``wv["new york"]`` is the vector of ``new_york``.
    terms : TermMap or list of them, optional
        Dictionaries whose terms become their concepts, before phrases are joined.
    checkpoint, checkpoint_every
        As in `train`.

    Attributes
    ----------
    wv : KeyedVectors
        The input vectors: what one usually wants.
    output_vectors : KeyedVectors
        The output vectors of negative sampling.
    loss_history : list of float
        Mean loss per trained example, an entry per epoch.
    history : list of EpochRecord
        Words, seconds, learning rate and loss of each epoch trained in this process.

    Raises
    ------
    ValueError, TypeError
        For a parameter out of range, before any work.
    RuntimeError
        If no word is left to train on, or a GPU is asked for and there is none.

    Examples
    --------
    >>> from w2v import Word2Vec
    >>> sentences = [["fast", "exact", "vectors"], ["exact", "fast", "vectors"]] * 100
    >>> model = Word2Vec(sentences, vector_size=16, min_count=1, sg=1, workers=1)
    >>> len(model.wv), model.wv["fast"].shape
    (3, (16,))
    """

    kind = "word2vec"

    def __init__(
        self,
        sentences: Sentences | None = None,
        corpus_file: Pathlike | None = None,
        vector_size: int = 100,
        alpha: float = 0.025,
        window: int = 5,
        min_count: int = 5,
        max_vocab_size: int | None = None,
        sample: float = 1e-3,
        seed: int | None = 1,
        workers: int = 3,
        min_alpha: float = 0.0001,
        sg: int = 0,
        hs: int = 0,
        negative: int = 5,
        ns_exponent: float = 0.75,
        cbow_mean: int = 1,
        hashfxn: Callable[..., int] = hash,
        epochs: int = 5,
        null_word: int = 0,
        trim_rule: TrimRule | None = None,
        sorted_vocab: int = 1,
        batch_words: int = 10_000,
        compute_loss: bool = False,
        callbacks: Iterable[Any] = (),
        comment: str | None = None,
        max_final_vocab: int | None = None,
        shrink_windows: bool = True,
        *,
        shared_negatives: bool = True,
        cbow_corrected: bool = False,
        tied: bool = False,
        deterministic: bool = False,
        tokenizer: str | None = None,
        cache: str = "auto",
        device: str = "cpu",
        progress: bool | None = None,
        phrases: Any = None,
        terms: Any = None,
        checkpoint: Pathlike | None = None,
        checkpoint_every: str | int = checkpoints.DEFAULT_EVERY,
        **old_names: Any,
    ) -> None:
        new_names = new_names_of(OLD_PARAMETERS, old_names, type(self).__name__)
        vector_size = new_names.get("vector_size", vector_size)
        epochs = new_names.get("epochs", epochs)
        self.vector_size = vector_size
        self.alpha = alpha
        self.window = window
        self.min_count = min_count
        self.max_vocab_size = max_vocab_size
        self.sample = sample
        self.seed = secrets.randbits(32) if seed is None else seed
        self.workers = workers
        self.min_alpha = min_alpha
        self.sg = sg
        self.hs = hs
        self.negative = negative
        self.ns_exponent = ns_exponent
        self.cbow_mean = cbow_mean
        self.hashfxn = hashfxn
        self.null_word = null_word
        self.epochs = epochs
        self.sorted_vocab = sorted_vocab
        self.batch_words = batch_words
        self.compute_loss = compute_loss
        self.comment = comment
        self.max_final_vocab = max_final_vocab
        self.shrink_windows = shrink_windows
        self.shared_negatives = shared_negatives
        self.cbow_corrected = cbow_corrected
        self.tied = tied
        self.deterministic = deterministic
        self.tokenizer = tokenizer
        self.cache = cache
        self.device = device
        self.progress = progress
        Trainable.__init__(self)
        self._take_steps(steps_of(terms, phrases))
        self.settings()
        if trim_rule is not None and not callable(trim_rule):
            raise TypeError(f"trim_rule={trim_rule!r} must be a function of (word, count, min_count)")
        self.layer1_size = self.vector_size
        self._start_empty()

        callbacks = hooks.checked(callbacks)
        checkpoints.interval(checkpoint_every)
        if sentences is None and corpus_file is None and checkpoint is not None:
            raise ValueError(f"checkpoint={checkpoint!r} is of no use without a corpus; give it to train()")
        if sentences is not None or corpus_file is not None:
            corpus = Corpus.from_arguments(sentences, corpus_file, tokenizer=tokenizer)
            self._check_something_to_train()
            with session.checkpoint_folder(checkpoint, checkpoint_every, corpus, self.cache):
                pass  # what `train` would refuse is refused before the corpus is read
            self._at_once = True
            self.build_vocab(sentences, corpus_file, trim_rule=trim_rule)
            self._at_once = False
            self.train(
                sentences,
                corpus_file,
                total_examples=self.corpus_count,
                total_words=self.corpus_total_words,
                epochs=self.epochs,
                callbacks=callbacks,
                checkpoint=checkpoint,
                checkpoint_every=checkpoint_every,
            )

    # --- training -----------------------------------------------------------------------------------------------

    def train(
        self,
        corpus_iterable: Sentences | None = None,
        corpus_file: Pathlike | None = None,
        total_examples: int | None = None,
        total_words: int | None = None,
        epochs: int | None = None,
        start_alpha: float | None = None,
        end_alpha: float | None = None,
        word_count: int = 0,
        queue_factor: int = 2,
        report_delay: float = 1.0,
        compute_loss: bool | None = None,
        callbacks: Iterable[Any] = (),
        *,
        freeze: str | Iterable[str] | None = None,
        checkpoint: Pathlike | None = None,
        checkpoint_every: str | int = checkpoints.DEFAULT_EVERY,
        **old_names: Any,
    ) -> tuple[int, int]:
        """Train on a corpus with the vocabulary there is.

        Parameters
        ----------
        corpus_iterable, corpus_file
            As in the constructor. The same object or file as before is not read again.
        total_examples, total_words : int
            One of them must be given, as in gensim. The learning rate follows the corpus's true number of words.
        epochs : int
        start_alpha, end_alpha : float, optional
            Replace `alpha` and `min_alpha`; `start_alpha` stays with the model.
        word_count, queue_factor, report_delay : ignored
        compute_loss : bool, optional
            Replaces the model's own setting.
        callbacks : iterable
        freeze : {"outputs", "inputs"} or iterable of str, optional
            Rows that stay as they are, to the bit, with any number of workers: all output rows, all input rows, or the
            input and output rows of these words. Slices of a corpus that are trained from one model with
            ``freeze="outputs"`` stay comparable (Di Carlo et al. 2019, arXiv:1906.02376; docs/combining.md). Inner
            nodes of hierarchical softmax are outputs, but of no word. `runs` says what was frozen.
        checkpoint : path, optional
            A folder, made if need be, that always holds two generations of the model and of how far it has come: one
            from the beginning on, and the last one when training ends, also on Ctrl-C. `resume` goes on from there.
            It must hold no other run. See docs/checkpoints.md.
        checkpoint_every : str or int, default '10m'
            How much is lost at most: a time such as ``'30s'``, ``'10m'`` or ``'2h'``, or a number of epochs.

        Returns
        -------
        trained_words, raw_words : int
            Words after vocabulary and subsampling, and all words read, over all epochs.

        Raises
        ------
        KeyboardInterrupt
            On Ctrl-C, within 100 ms, and on `stop`; the model keeps what it has learnt. With `checkpoint` it is
            written first.
        FloatingPointError
            If the vectors are no longer finite.
        OSError
            If a checkpoint cannot be written; those in the folder stay as they are.
        """
        corpus_iterable = new_names_of(self.old_corpus, old_names, "train").get("corpus_iterable", corpus_iterable)
        settings = self.settings()
        corpus = Corpus.from_arguments(corpus_iterable, corpus_file, self.tokens.corpus_identity, settings.tokenizer)
        self._check_something_to_train()
        if not len(self.wv):
            raise RuntimeError("there is no vocabulary to train; call build_vocab first")
        if total_examples is None and total_words is None:
            raise ValueError("give total_examples=model.corpus_count or total_words=model.corpus_total_words")
        for name, total in (("total_examples", total_examples), ("total_words", total_words)):
            if total is not None:
                checks.number(name, total, 0)
        if epochs is None:
            raise ValueError("give epochs=, for example epochs=model.epochs")
        checks.integer("epochs", epochs, 1)
        start = self.alpha if start_alpha is None else checks.number("start_alpha", start_alpha, 0, MOST_ALPHA)
        end = self.min_alpha if end_alpha is None else checks.number("end_alpha", end_alpha, 0, MOST_ALPHA)
        if settings.cache == "none":
            corpus.check_repeatable("cache='none' reads the corpus in every epoch")
        callbacks = hooks.checked(callbacks)
        self._check_matrices(settings)
        frozen = freezing.checked(freeze, self.wv.key_to_index, self.weights)
        with (
            self.activity.only("train"),
            session.checkpoint_folder(checkpoint, checkpoint_every, corpus, settings.cache) as writer,
        ):
            # all is checked; as in gensim, the model keeps what it was last trained with
            self.epochs, self.alpha, self.min_alpha = int(epochs), start, end
            warn_of_the_unusual(self, end)
            if compute_loss is not None:
                self.compute_loss = bool(compute_loss)
            if epochs >= MANY_EPOCHS and isinstance(corpus.source, Iterator):
                logger.warning(
                    "%d epochs over an iterator, which can be read once: w2v keeps what it has read, and trains all of "
                    "them; gensim would have ended after the first",
                    epochs,
                )
            return session.train(self, corpus, callbacks, writer, frozen)

    def _check_something_to_train(self) -> None:
        if not self.hs and not self.negative:
            raise ValueError("hs=0 and negative=0 leave nothing to train; set negative=5 or hs=1")
        choice.check(self.settings())

    @class_only
    def resume(
        cls,
        checkpoint: Pathlike,
        corpus_iterable: Sentences | None = None,
        corpus_file: Pathlike | None = None,
        *,
        workers: int | None = None,
        callbacks: Iterable[Any] = (),
        progress: bool | None = None,
        **settings: Any,
    ) -> "Word2Vec":
        """Go on with a run that was cut short, from the newest checkpoint in its folder, and return the trained model.

        With one worker, and with ``deterministic=True``, it ends in the same bytes as if it had never been cut.

        Parameters
        ----------
        checkpoint : path
            The folder that `train` was given.
        corpus_iterable, corpus_file : optional
            The corpus. Not needed where it was a file, or a `LineSentence`, `PathLineSentences` or `Text8Corpus` of
            files, that is still there.
        workers : int, optional
            Other than before. A run of one worker without ``deterministic=True`` stays one of one worker.
        callbacks : iterable
            Those of the run. `on_train_begin` is called again, `on_epoch_begin` only for epochs that begin now.
        progress : bool, optional
        **settings
            Parameters of `Word2Vec` that a saved model keeps, such as `vector_size`, `window` or `epochs` (not
            `trim_rule`, `hashfxn`, `batch_words`, `checkpoint`, `checkpoint_every` or gensim's old names). They need
            not be given, but if they are, they must be those of the run; ``seed=None`` is not given. `device` may be
            another.

        Raises
        ------
        TypeError
            There is no such setting, or `corpus_file` is not a file.
        ValueError
            The corpus, a setting or the numerical scheme is another one.
        FormatError
            No checkpoint of the folder is sound. If only one is damaged, or cannot be read, a warning names it, and
            the other one is used.
        FileNotFoundError
            There is no checkpoint, or the corpus is no longer where it was.
        BlockingIOError
            The run is still going on.
        """
        callbacks = hooks.checked(callbacks)
        if workers is not None:
            checks.worker_number(workers)
        checks.one_of("progress", progress, (None, True, False))
        is_given = corpus_iterable is not None or corpus_file is not None
        corpus = Corpus.from_arguments(corpus_iterable, corpus_file) if is_given else None
        model: Word2Vec = session.resume(
            cls, checkpoint, corpus, workers=workers, callbacks=callbacks, progress=progress, wanted=settings
        )
        return model

    def get_latest_training_loss(self) -> float:
        """Summed loss of all examples since the last call of `train` began, as in gensim; see `loss_history`."""
        return self.provenance.running_training_loss

    # --- results ------------------------------------------------------------------------------------------------

    def trained_again(
        self, corpus_iterable: Sentences | None = None, corpus_file: Pathlike | None = None
    ) -> "Word2Vec":
        """Train a new model as this one was: same settings, same calls of `train`, same seed.

        Where the result does not depend on chance (one worker, or ``deterministic=True``), its bytes are those of this
        model if version, scheme and corpus are the same.

        Raises
        ------
        ValueError
            The corpus is another one, or several were trained on, or the result was left to chance: to several workers,
            or to the moment at which an epoch was cut short.
        """
        self.record_digests()
        runs = self.provenance.runs_as_of_now()
        if self.workers != 1 and not self.deterministic:
            raise ValueError(
                f"a model of workers={self.workers} without deterministic=True is different on every run; there is "
                "nothing to compare. Train it with workers=1 or deterministic=True"
            )
        if not all(run["repeatable"] for run in runs):
            raise ValueError(
                "several workers without deterministic=True or a GPU have trained this model, an epoch was cut short, "
                "a callback has assigned settings, or the corpus was of sets or changed between epochs; there is "
                "nothing to compare"
            )
        corpora = {run["corpus"] for run in runs}
        if len(corpora) != 1 or not all(corpora):
            raise ValueError(f"the model was trained on {len(corpora)} corpora, or on one that was not kept")
        if corpus_file is not None and (reader := runs[0].get("reader")) is not None:
            corpus_iterable, corpus_file = Corpus.from_arguments(None, corpus_file).read_as(reader).source, None
        settings = self.settings()
        steps = {"terms": self._terms_of(TermMap), "phrases": self._terms_of(FrozenPhrases)}
        again = type(self).__new__(type(self))
        again._of_settings({**settings.chosen(settings.named(saved=True)), **steps, "progress": self.progress})
        again.build_vocab(corpus_iterable, corpus_file)
        again.round_shape = self.round_shape
        [encoded] = again.parts(
            Corpus.from_arguments(corpus_iterable, corpus_file, tokenizer=self.tokenizer), settings
        ).encoded
        if encoded.sha256() not in corpora:
            raise ValueError("this is another corpus: its tokens or sentences differ from those of the model's")
        for run in runs:
            stop = StopAfter(run["trained"])
            again.alpha, again.min_alpha = run["alpha"], run["min_alpha"]
            rows = freezing.as_asked(run.get("freeze"), again.wv.index_to_key)
            again.train(
                corpus_iterable, corpus_file, total_words=1, epochs=run["epochs"], callbacks=[stop], freeze=rows
            )
        return again

    def score(
        self,
        sentences: Iterable[Sequence[str]],
        total_sentences: int = 1_000_000,
        chunksize: int = 100,
        queue_factor: int = 2,
        report_delay: float = 1,
    ) -> NDArray[np.float32]:
        """Log-probability of each sentence, float32 [sentences]; see `w2v.models.predict.sentence_scores`.

        Unknown words are left out. The other parameters are accepted for gensim's sake and ignored.

        Raises
        ------
        RuntimeError
            Without hierarchical softmax (``hs=1``) there are no probabilities.
        """
        if not self.hs or self.syn1 is None:
            raise RuntimeError("only a model trained with hs=1 gives sentences a probability")
        self._check_matrices(self.settings())
        known = self.wv.key_to_index
        refuse_text("sentences", sentences)
        # A str is a sentence of one word: programs written for gensim pass it.
        each = ([s] if isinstance(s, str) else check_list("sentence", s) for s in sentences)
        rows = ([known[word] for word in sentence if word in known] for sentence in each)
        paths = self.vocabulary.paths()
        return predict.sentence_scores(
            rows, self.wv.peek(), self.syn1, paths, window=self.window, cbow=not self.sg, mean=bool(self.cbow_mean)
        )

    def predict_output_word(
        self, context_words_list: Sequence[str | int], topn: int | None = 10
    ) -> list[tuple[str, np.float32]] | None:
        """Find the words most probable in a context: ``[(word, probability), ...]``, best first.

        Parameters
        ----------
        context_words_list : list of str, or of row numbers
            Unknown words are left out; if none is left, the answer is None.
        topn : int or None, default 10
            None for all words.

        Raises
        ------
        RuntimeError
            Without negative sampling there is no output vector per word.
        """
        if not self.negative or self.syn1neg is None:
            raise RuntimeError("only a model trained with negative > 0 has an output vector for each word")
        if len(self.syn1neg) != len(self.wv):
            raise RuntimeError(f"{len(self.wv):,} words, but {len(self.syn1neg):,} output vectors; was wv replaced?")
        topn = whole_or_none("topn", topn)
        context = check_list("context_words_list", context_words_list)
        rows = [self.wv.get_index(word) for word in context if self.wv.has_index_for(word)]
        if not rows:
            logger.warning("none of the context words is in the vocabulary: %r", context[:10])
            return None
        found = predict.output_probabilities(rows, self.wv.peek(), self.syn1neg, bool(self.cbow_mean))
        best = queries.top_rows(found, len(found) if topn is None else topn)
        return [(self.wv.index_to_key[row], found[row]) for row in best]

    @classmethod
    def load_word2vec_format(cls, *args: Any, **options: Any) -> KeyedVectors:
        """Old form of ``KeyedVectors.load_word2vec_format``."""
        warn("Word2Vec.load_word2vec_format()", "KeyedVectors.load_word2vec_format()")
        return KeyedVectors.load_word2vec_format(*args, **options)

    def _of_settings(self, settings: dict[str, Any]) -> None:
        """Become an untrained model of these settings; the constructor of a user's subclass may want a corpus."""
        Word2Vec.__init__(self, **settings)
