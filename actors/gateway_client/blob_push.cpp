#include "actors/gateway_client/blob_push.hpp"

#include <algorithm>

#include "actors/gateway_client/gateway_answer.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/crypto/merkle.hpp"
#include "messages/signing/signing.hpp"
#include "messages/wire/refusals.hpp"

namespace soma::gateway_client {
namespace {

using crypto::blob_chunk_bytes;

/// A gateway that forgets an upload so often has no place for it.
constexpr int most_begins = 8;

using progress = std::vector<std::uint32_t>;  // the numbers of the chunks that are missing

class push {
 public:
  push(const push_source& source, const std::string& reservation)
      : source_(source),
        reservation_(reservation),
        blob_(crypto::blob_root(source.outline.size_bytes, source.outline.chunk_hashes)),
        announced_(message<schema::BeginPut>::build([&](auto out) {
          const auto& hashes = source.outline.chunk_hashes;
          out.setSizeBytes(source.outline.size_bytes);
          auto list = out.initChunkHashes(static_cast<unsigned>(hashes.size()));
          for (unsigned i = 0; i < hashes.size(); ++i) list.set(i, data_of(hashes[i]));
        })) {}

  [[nodiscard]] const blob_id& blob() const { return blob_; }
  /// Chunks that any gateway has taken.
  [[nodiscard]] std::uint64_t taken() const { return taken_; }

  /// Begins at this gateway, or goes on there, until it has all.
  expected<blob_id, refusal> to(const blob_port& port) {
    for (int begins = 0; begins < most_begins; ++begins) {
      const auto missing = read(port.begin(blob_, announced_.bytes(), reservation_));
      if (!missing) return make_unexpected(missing.error());
      bool is_forgotten = false;
      auto left = static_cast<std::uint32_t>(missing->size());
      for (const auto number : *missing) {
        if (number >= chunks()) {
          return make_unexpected(refusal{distrust::malformed, "there is no such chunk", {}});
        }
        const auto answer = port.put(blob_, number, source_.chunk(number), reservation_);
        // The upload was set aside there; what it has is kept.
        is_forgotten = !answer && answer.error().code == "not_begun";
        if (is_forgotten) break;
        const auto rest = read(answer);
        if (!rest) return make_unexpected(rest.error());
        ++taken_;
        if (source_.progress) source_.progress(chunks() - --left, chunks());
        if (rest->empty()) return blob_;
      }
      if (missing->empty()) return blob_;
    }
    return make_unexpected(refusal{distrust::declined, "it forgets the upload", std::nullopt});
  }

 private:
  [[nodiscard]] std::uint32_t chunks() const {
    return static_cast<std::uint32_t>(source_.outline.chunk_hashes.size());
  }
  [[nodiscard]] expected<progress, refusal> read(const fetched& from) const {
    const auto answer = read_plain<schema::PutProgress>(from);
    if (!answer) return make_unexpected(answer.error());
    const auto root = answer->root();
    if (is_refused(root.getRefusal())) {
      return make_unexpected(refusal{distrust::declined, {}, std::nullopt});
    }
    if (id_or_zero<blob_id>(root.getBlob()) != blob_) {
      return make_unexpected(refusal{distrust::malformed, "it is of another blob", std::nullopt});
    }
    progress numbers;
    for (const auto number : root.getMissing()) numbers.push_back(number);
    return numbers;
  }

  const push_source& source_;
  const std::string& reservation_;
  blob_id blob_;
  message<schema::BeginPut> announced_;
  std::uint64_t taken_ = 0;
};

}  // namespace

blob_outline outline_of(byte_view data) {
  blob_outline out{data.size(), {}};
  for (std::size_t at = 0; at < data.size(); at += blob_chunk_bytes) {
    out.chunk_hashes.push_back(crypto::chunk_hash(
        data.subspan(at, std::min<std::size_t>(blob_chunk_bytes, data.size() - at))));
  }
  return out;
}

std::string make_reservation(const crypto::key_pair& key, const chain_id& chain,
                             const blob_id& blob, std::uint64_t size_bytes,
                             std::uint64_t expiry_ms) {
  const auto by_key = signing::sign_upload(key, chain, blob, size_bytes, expiry_ms);
  return to_hex(message<schema::UploadReservation>::build([&](auto out) {
                  out.setChain(data_of(chain));
                  out.setBlob(data_of(blob));
                  out.setSizeBytes(size_bytes);
                  out.setExpiryMs(expiry_ms);
                  out.setKey(data_of(byte_view(key.public_half())));
                  out.setSignature(data_of(byte_view(by_key)));
                }).bytes());
}

expected<blob_id, pool_refusal> push_blob(const push_source& source, const std::string& reservation,
                                          const std::vector<blob_gateway>& gateways,
                                          pool_options options) {
  std::vector<std::string> names;
  for (const auto& one : gateways) names.push_back(one.name);
  gateway_pool pool(names, std::move(options));
  push work(source, reservation);
  for (;;) {
    const auto before = work.taken();
    auto done =
        pool.call([&](std::size_t which) { return work.to(gateways[which].connections.front()); });
    if (done && source.on_taken) source.on_taken(pool.present());
    // As long as chunks are taken somewhere, it is worth going on.
    if (done || work.taken() == before) return done;
  }
}

}  // namespace soma::gateway_client
