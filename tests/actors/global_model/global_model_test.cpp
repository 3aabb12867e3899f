#include <doctest/doctest.h>

#include <cmath>

#include "actors/blob_store/blob_store_role.hpp"
#include "actors/global_model/global_model.hpp"
#include "actors/localnet/localnet.hpp"
#include "actors/localnet/world.hpp"
#include "actors/model_registry/model_registry.hpp"
#include "actors/router/router.hpp"
#include "actors/rules/models.hpp"
#include "actors/scorer/scorer_pool.hpp"
#include "messages/crypto/aes_ctr.hpp"
#include "messages/signing/signing.hpp"
#include "messages/wire/refusals.hpp"
#include "model/weights/weights.hpp"
#include "tests/actors/support/byte_model.hpp"
#include "tests/support/program.hpp"

using namespace soma;
using namespace soma::blob_store;
using namespace soma::global_model;
using namespace soma::localnet;
using namespace soma::model_registry;
using namespace soma::router;
using namespace soma::scorer;
using namespace soma::trainer;

namespace {

/// Blob store, scorer, registry, router and global model in a simulated network. The tests publish
/// the models themselves.
struct small_oracle {
  small_oracle() {
    auto& system = w.system();
    blobs = system.spawn(blob_store_role, blob_store_ports{disk});
    registry = system.spawn(soma::model_registry::model_registry);
    paths = system.spawn(soma::router::router);
    std::vector<scorer_worker_actor> workers;
    for (int i = 0; i < 2; ++i) {
      workers.push_back(system.spawn(
          scorer_worker, scorer_worker_ports{blobs, w.new_background(), test::make_byte_engine}));
    }
    scorer = system.spawn(scorer_pool, workers, scorer_pool_limits{});
    oracle =
        system.spawn(soma::global_model::global_model,
                     global_model_ports{registry, paths, scorer, test::byte_architecture.max_seq,
                                        [this](std::uint8_t byte) { heard.push_back(byte); }});
  }

  /// Encrypts and stores a file as a trainer does. Returns the entry that a ledger would have.
  model_entry publish(bytes file, std::vector<float> embedding) {
    model_entry entry;
    const auto number = ++published;
    entry.ref.model.value[0] = static_cast<std::uint8_t>(number);
    entry.ref.version = 1;
    entry.activation_order = number;
    entry.weights = signing::weights_hash_of(file);
    entry.key.fill(static_cast<std::uint8_t>(number));
    entry.manifest.size_bytes = file.size();
    entry.manifest.chunk_bytes = 1u << 20;
    entry.embedding = std::move(embedding);
    crypto::aes_ctr(entry.key, entry.manifest.iv).apply(0, file);
    entry.manifest.root = *disk->put(file);
    return entry;
  }
  model_entry publish_alphabet(std::string_view alphabet) {
    auto trained =
        test::train_byte_model({test::text_of(alphabet, 32 << 10, published + 1)}, published);
    return publish(std::move(trained.weights_file), std::move(trained.embedding));
  }
  void announce(const std::vector<model_entry>& entries) {
    const auto snapshot = snapshot_of(++version, entries);
    caf::anon_send(registry, snapshot);
    caf::anon_send(paths, message<schema::AssignRequest>::build(
                              [&](auto out) { out.setDelta(snapshot.root()); }));
  }
  message<schema::Evaluation> evaluate(byte_view text, unsigned experts = 4) {
    return w.ask<schema::Evaluation>(oracle, message<schema::Evaluate>::build([&](auto out) {
                                       out.setText(data_of(text));
                                       out.setExperts(experts);
                                     }));
  }
  message<schema::Answer> ask(std::string_view text, std::uint32_t most,
                              std::uint32_t temperature_milli) {
    return w.ask<schema::Answer>(oracle, message<schema::Ask>::build([&](auto out) {
                                   out.setText(data_of(as_bytes(text)));
                                   out.setMostBytes(most);
                                   out.setExperts(4);
                                   out.setTemperatureMilli(temperature_milli);
                                   out.setSeed(5);
                                 }));
  }
  /// nullopt when the weights cannot be fetched, which is no verdict.
  std::optional<model_verdict> check(const model_entry& entry) {
    const auto reply =
        w.ask<schema::ModelCheck>(scorer, message<schema::CheckModel>::build([&](auto out) {
                                    fill(out.initModel(), entry);
                                    out.setLayers(network.layers);
                                    out.setDim(network.dim);
                                    out.setHeads(network.heads);
                                    out.setFfn(network.ffn);
                                    out.setMaxSeq(network.max_seq);
                                  }));
    const auto refusal = scorer::work_refusal_of(reply.root().getRefusal());
    if (refusal == scorer::work_refusal::model_unavailable) return std::nullopt;
    REQUIRE(refusal == scorer::work_refusal::none);
    return static_cast<model_verdict>(reply.root().getVerdict());
  }

  bytes heard;  // of the answers, byte by byte
  soma::support::scratch_folder folder;
  std::shared_ptr<blobs::blob_store> disk =
      std::make_shared<blobs::blob_store>(folder.path() / "blobs");
  world w{2, 0};
  model_architecture network = test::byte_architecture;
  std::uint64_t published = 0, version = 0;
  blob_store_actor blobs;
  model_registry_actor registry;
  router_actor paths;
  scorer_actor scorer;
  global_model_actor oracle;
};

}  // namespace

TEST_CASE(
    "where a text changes its nature the mixture is better than every expert, and the shares add "
    "up to one") {
  small_oracle o;
  o.announce({o.publish_alphabet("abcdefgh"), o.publish_alphabet("01234567"),
              o.publish_alphabet("+-*/<>=!")});
  const auto text =
      interleave({test::text_of("abcdefgh", 9'000, 21), test::text_of("01234567", 9'000, 22),
                  test::text_of("+-*/<>=!", 9'000, 23)},
                 20'000, 24);
  const auto result = o.evaluate(text);
  REQUIRE(result.root().getRefusal().isNone());
  CHECK(result.root().getBytes() == 20'000);
  // The first byte of every 64 is given and not predicted.
  CHECK(result.root().getPredicted() == 20'000 - (20'000 + 63) / 64);
  REQUIRE(result.root().getShares().size() == 3);
  double shares = 0;
  for (const auto& share : result.root().getShares()) {
    CHECK(result.root().getBitsPerByte() < share.getBitsPerByte());
    CHECK(share.getShare() > 0.25);
    shares += share.getShare();
  }
  CHECK(shares == doctest::Approx(1).epsilon(1e-9));
  // Three bits for one of eight letters, and a little for each change of the alphabet.
  CHECK(result.root().getBitsPerByte() < 3.2);
}

TEST_CASE("on a text of one nature the mixture is about as good as the one expert for it") {
  small_oracle o;
  o.announce({o.publish_alphabet("abcdefgh"), o.publish_alphabet("01234567")});
  const auto result = o.evaluate(test::text_of("01234567", 4'000, 3));
  double best = 100;
  for (const auto& share : result.root().getShares()) best = std::min(best, share.getBitsPerByte());
  CHECK(result.root().getBitsPerByte() < best + 0.01);
}

TEST_CASE("a continuation is written by the expert that the prompt calls for") {
  small_oracle o;
  const auto letters = o.publish_alphabet("abc"), digits = o.publish_alphabet("123");
  o.announce({letters, digits});
  const auto answer = o.ask("2131232131232112", 40, 1'000);
  REQUIRE(answer.root().getRefusal().isNone());
  const auto text = view_of(answer.root().getText());
  CHECK(text.size() == 40);
  CHECK(std::count_if(text.begin(), text.end(),
                      [](auto byte) { return byte >= '1' && byte <= '3'; }) >= 38);
  for (const auto& share : answer.root().getShares()) {
    if (ref_of(share.getRef()) == digits.ref) CHECK(share.getShare() > 0.95);
  }
  CHECK(o.ask("2131232131232112", 40, 1'000) == answer);  // the seed determines the answer
}

TEST_CASE("every byte of a continuation is heard before the answer comes, in the same order") {
  small_oracle o;
  o.announce({o.publish_alphabet("abc"), o.publish_alphabet("123")});
  const auto answer = o.ask("21312", 25, 1'000);
  REQUIRE(answer.root().getRefusal().isNone());
  CHECK(o.heard == bytes_of(answer.root().getText()));
  o.heard.clear();
  (void)o.evaluate(test::text_of("abc", 200, 3));  // nothing is written here
  CHECK(o.heard.empty());
}

TEST_CASE("questions that cannot be answered are refused by name") {
  small_oracle o;
  const auto refusal_of = [](const auto& reply) {
    const auto refusal = reply.root().getRefusal();
    REQUIRE(refusal.isGlobalModel());
    return refusal_of_schema<ask_refusal>(refusal.getGlobalModel());
  };
  CHECK(refusal_of(o.ask("x", 10, 0)) == ask_refusal::no_models);
  o.announce({o.publish_alphabet("abc")});
  CHECK(refusal_of(o.ask("", 10, 0)) == ask_refusal::empty_text);
  CHECK(refusal_of(o.ask("x", 0, 0)) == ask_refusal::bad_request);
  CHECK(refusal_of(o.ask("x", max_written_bytes + 1, 0)) == ask_refusal::bad_request);
  CHECK(refusal_of(o.evaluate(as_bytes("x"))) == ask_refusal::empty_text);
  CHECK(refusal_of(o.evaluate(as_bytes("xyz"), 0)) == ask_refusal::bad_request);
  auto gone = o.publish_alphabet("xyz");
  gone.manifest.root.value[5] ^= 1;
  o.announce({gone});
  const auto failed = o.ask("x", 10, 0);
  CHECK(refusal_of(failed) == ask_refusal::scoring_failed);
  CHECK(why_of(failed.root().getRefusal()).find("weights") != std::string::npos);
}

// Protocol §6.5.
TEST_CASE(
    "a check of weights says whether they are good or what is wrong with them, and nothing when "
    "they are not there") {
  small_oracle o;
  const auto good = o.publish_alphabet("abc");
  CHECK(o.check(good) == model_verdict::good);
  auto copied = good;  // the same weights under a name of its own, but nothing in the store
  copied.ref.model.value[31] = 1;
  copied.manifest.root.value[0] ^= 1;
  CHECK(o.check(copied) == std::nullopt);
  auto wrong_key = o.publish_alphabet("abd");
  wrong_key.key[0] ^= 1;
  CHECK(o.check(wrong_key) == model_verdict::wrong_hash);
  auto missing = o.publish_alphabet("abe");
  missing.manifest.root.value[0] ^= 1;
  CHECK(o.check(missing) == std::nullopt);
  auto wrong_size = o.publish_alphabet("abf");
  wrong_size.manifest.size_bytes += 1;
  CHECK(o.check(wrong_size) == std::nullopt);
  CHECK(o.check(o.publish(bytes(5'000, 7), good.embedding)) == model_verdict::malformed);
  auto other_dimension = o.publish_alphabet("abg");
  other_dimension.embedding.resize(32, 1.0f);
  CHECK(o.check(other_dimension) == model_verdict::wrong_architecture);
  auto infinite = test::train_byte_model({test::text_of("abh", 32 << 10, 9)}, 9).weights_file;
  std::fill(infinite.end() - 4, infinite.end(), std::uint8_t{0xff});  // the last value is no number
  CHECK(o.check(o.publish(std::move(infinite), good.embedding)) == model_verdict::not_finite);
  o.network.max_seq = 128;
  CHECK(o.check(good) == model_verdict::wrong_architecture);  // good weights of another network
  o.network = test::byte_architecture;
  CHECK(o.check(good) == model_verdict::good);  // none of it has hurt the workers
}

// Protocol §6.2.
TEST_CASE("the size that the rules want of a model is that of its file, beside the header") {
  for (const auto& architecture :
       {test::byte_architecture, model_architecture{}, model_architecture{3, 12, 2, 40, 16},
        model_architecture{256, 16'384, 8, 65'536, 1'024}}) {
    CHECK(rules::weights_bytes(architecture) == 4 * weights::parameter_count(architecture));
  }
  const auto file = test::train_byte_model({test::text_of("abc", 32 << 10, 1)}, 1).weights_file;
  CHECK(file.size() > rules::weights_bytes(test::byte_architecture));
  CHECK(file.size() <= rules::weights_bytes(test::byte_architecture) + rules::max_header_bytes);
}
