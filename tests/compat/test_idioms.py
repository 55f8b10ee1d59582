"""The idioms of gensim's Word2Vec tutorials, with nothing but the import changed."""

import pytest
from corpora import two_topics

IMPORTS = {
    "ours": "from w2v import Word2Vec, KeyedVectors, LineSentence\nfrom w2v.callbacks import CallbackAny2Vec\n",
    "substituted": (
        "from gensim.models import Word2Vec, KeyedVectors\nfrom gensim.models.word2vec import LineSentence\n"
        "from gensim.models.callbacks import CallbackAny2Vec\n"
    ),
}

IDIOMS = {
    "the constructor does it all": """
model = Word2Vec(sentences=sentences, vector_size=16, window=5, min_count=1, workers=4)
vector = model.wv['moon']
sims = model.wv.most_similar('moon', topn=10)
assert len(vector) == 16 and len(sims) == 10
""",
    "build the vocabulary, then train": """
model = Word2Vec(vector_size=16, min_count=1, workers=2, epochs=3)
model.build_vocab(sentences)
model.train(sentences, total_examples=model.corpus_count, epochs=model.epochs)
assert 'moon' in model.wv
""",
    "a corpus from a file, line by line": """
model = Word2Vec(LineSentence('corpus.txt'), min_count=1)
again = Word2Vec(corpus_file='corpus.txt', min_count=1)
for index, word in enumerate(model.wv.index_to_key):
    if index == 10:
        break
assert model.wv.index_to_key == again.wv.index_to_key
""",
    "a corpus of one's own": """
class MyCorpus:
    def __iter__(self):
        with open('corpus.txt') as file:
            for line in file:
                yield line.lower().split()

model = Word2Vec(sentences=MyCorpus(), min_count=1)
assert len(model.wv) == 12
""",
    "callbacks": """
class EpochLogger(CallbackAny2Vec):
    def __init__(self):
        self.epoch = 0
        self.losses = []

    def on_epoch_begin(self, model):
        pass

    def on_epoch_end(self, model):
        self.losses.append(model.get_latest_training_loss())
        self.epoch += 1

epoch_logger = EpochLogger()
model = Word2Vec(sentences, min_count=1, compute_loss=True, callbacks=[epoch_logger], epochs=4)
assert epoch_logger.epoch == 4 and epoch_logger.losses == sorted(epoch_logger.losses) and epoch_logger.losses[0] > 0
""",
    "save, load, continue": """
model = Word2Vec(sentences, min_count=1, vector_size=16)
model.save('model.model')
new_model = Word2Vec.load('model.model')
more_sentences = [['sun', 'moon', 'rocket', 'rocket']] * 10
new_model.build_vocab(more_sentences, update=True)
new_model.train(more_sentences, total_examples=new_model.corpus_count, epochs=new_model.epochs)
assert 'rocket' in new_model.wv and 'rocket' not in model.wv
""",
    "vectors alone, in gensim's way": """
word_vectors = Word2Vec(sentences, min_count=1, vector_size=16).wv
word_vectors.save('vectors.kv')
reloaded_word_vectors = KeyedVectors.load('vectors.kv', mmap='r')
assert (reloaded_word_vectors['moon'] == word_vectors['moon']).all()
""",
    "vectors in the C tool's formats": """
model = Word2Vec(sentences, min_count=1, vector_size=16)
model.wv.save_word2vec_format('vectors.txt', binary=False)
model.wv.save_word2vec_format('vectors.bin', binary=True)
wv_from_text = KeyedVectors.load_word2vec_format('vectors.txt', binary=False)
wv_from_bin = KeyedVectors.load_word2vec_format('vectors.bin', binary=True)
assert (wv_from_text.vectors == model.wv.vectors).all() and (wv_from_bin.vectors == model.wv.vectors).all()
""",
    "questions": """
wv = Word2Vec(sentences, min_count=1, vector_size=16, epochs=30).wv
pairs = [('sun', 'moon'), ('sun', 'bread')]
for w1, w2 in pairs:
    '%r\\t%r\\t%.2f' % (w1, w2, wv.similarity(w1, w2))
wv.most_similar(positive=['sun', 'bread'], negative=['moon'], topn=5)
assert wv.doesnt_match(['sun', 'moon', 'star', 'bread']) == 'bread'
try:
    wv['cameroon']
except KeyError:
    pass
else:
    raise AssertionError
""",
    "learning rates by hand": """
model = Word2Vec(vector_size=16, alpha=0.025, min_alpha=0.025, min_count=1)
model.build_vocab(sentences)
for epoch in range(3):
    model.train(sentences, total_examples=model.corpus_count, epochs=1)
    model.alpha -= 0.002
    model.min_alpha = model.alpha
""",
}


@pytest.mark.parametrize("imports", IMPORTS)
@pytest.mark.parametrize("idiom", IDIOMS)
def test_an_idiom_works_with_another_import_only(idiom, imports, tmp_path, monkeypatch):
    from w2v.compat import gensim as compat

    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpus.txt").write_text("\n".join(" ".join(words) for words in two_topics()))
    with compat.installed():
        exec(compile(IMPORTS[imports] + IDIOMS[idiom], idiom, "exec"), {"sentences": two_topics(), "__name__": idiom})
