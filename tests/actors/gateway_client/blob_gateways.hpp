// Gateways of a test that give blobs from memory, each on a script of its own.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <thread>

#include "actors/gateway_client/blob_pull.hpp"
#include "actors/gateway_client/blob_push.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/crypto/merkle.hpp"
#include "tests/support/scratch.hpp"

namespace soma::test {

inline constexpr std::size_t chunk_size = crypto::blob_chunk_bytes;

struct scripted_blob {
  bytes data;
  gateway_client::blob_outline outline;
  blob_id id;

  explicit scripted_blob(std::size_t size, std::uint64_t seed = 5) {
    std::mt19937_64 random(seed);
    data = random_bytes(random, size);
    outline = gateway_client::outline_of(data);
    id = crypto::blob_id_of(data);
  }
  [[nodiscard]] byte_view chunk(std::size_t number) const {
    return byte_view(data).subspan(number * chunk_size,
                                   std::min(chunk_size, data.size() - number * chunk_size));
  }
  [[nodiscard]] bytes description() const {
    const auto made = message<schema::BlobDescription>::build([&](auto out) {
      out.setBlob(data_of(id));
      out.setSizeBytes(outline.size_bytes);
      auto all = out.initChunkHashes(static_cast<unsigned>(32 * outline.chunk_hashes.size()));
      for (std::size_t i = 0; i < outline.chunk_hashes.size(); ++i) {
        std::ranges::copy(outline.chunk_hashes[i].value, all.begin() + 32 * i);
      }
    });
    return {made.bytes().begin(), made.bytes().end()};
  }
};

/// What one gateway does. All of it may be changed while it serves.
struct blob_script {
  std::atomic<bool> is_dead{false};      // every call fails at once, also those under way
  std::atomic<bool> is_silent{false};    // reads wait until they are cancelled
  std::atomic<bool> is_mute{false};      // the same for descriptions
  std::atomic<bool> has_nothing{false};  // it declines
  std::atomic<bool> lies_in_outline{false};
  std::atomic<int> wrong_chunk{-1};          // this one has a wrong byte
  std::atomic<std::int64_t> dies_after{-1};  // so many bytes
  std::atomic<std::uint64_t> ms_a_chunk{0};
  std::atomic<std::uint64_t> given{0};  // bytes
  std::atomic<bool> is_cancelled{false};
};

inline gateway_client::fetched no_answer(gateway_client::fetch_failure how) {
  return make_unexpected(gateway_client::fetch_error(how));
}

inline gateway_client::blob_port port_of(const scripted_blob& blob,
                                         const std::shared_ptr<blob_script>& how) {
  using enum gateway_client::fetch_failure;
  gateway_client::blob_port port;
  port.describe = [&blob, how](const blob_id&) -> gateway_client::fetched {
    while (how->is_mute && !how->is_cancelled) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    if (how->is_dead || how->is_cancelled) return no_answer(silent);
    if (how->has_nothing) return no_answer(refused);
    auto told = blob.description();
    if (how->lies_in_outline) told.back() ^= 1;
    return told;
  };
  port.read = [&blob, how](const blob_id&, std::uint64_t from, std::uint64_t size,
                           const gateway_client::byte_taker& take) -> gateway_client::fetched {
    if (how->has_nothing) return no_answer(refused);
    constexpr std::size_t piece = 200'000;  // no divisor of a chunk
    for (auto at = from; at < from + size;) {
      while (how->is_silent && !how->is_cancelled && !how->is_dead) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      const auto most = how->dies_after.load();
      if (most >= 0 && how->given >= static_cast<std::uint64_t>(most)) how->is_dead = true;
      if (how->is_dead || how->is_cancelled) return no_answer(silent);
      const auto end = std::min<std::uint64_t>(at + piece, from + size);
      bytes next(blob.data.begin() + static_cast<std::ptrdiff_t>(at),
                 blob.data.begin() + static_cast<std::ptrdiff_t>(end));
      const auto bad = how->wrong_chunk.load();
      if (bad >= 0) {
        const auto place = static_cast<std::uint64_t>(bad) * chunk_size + 3;
        if (place >= at && place < end) next[place - at] ^= 1;
      }
      if (how->ms_a_chunk > 0) {
        std::this_thread::sleep_for(
            std::chrono::milliseconds(how->ms_a_chunk * piece / chunk_size));
      }
      how->given += next.size();
      if (!take(next)) return no_answer(silent);
      at = end;
    }
    return bytes{};
  };
  port.cancel = [how] { how->is_cancelled = true; };
  return port;
}

struct scripted_gateways {
  std::vector<std::shared_ptr<blob_script>> how;
  std::vector<gateway_client::blob_gateway> all;
  std::mutex mutex;
  std::vector<std::string> left;  // "b: wrong_chunk"

  scripted_gateways(const scripted_blob& blob, std::size_t count, std::size_t connections = 2) {
    for (std::size_t i = 0; i < count; ++i) {
      how.push_back(std::make_shared<blob_script>());
      auto& made = all.emplace_back();
      made.name = std::string(1, static_cast<char>('a' + i));
      for (std::size_t k = 0; k < connections; ++k) {
        made.connections.push_back(port_of(blob, how.back()));
      }
    }
  }
  [[nodiscard]] gateway_client::pull_options options() {
    gateway_client::pull_options out;
    out.gateways.seed = 4;
    out.gateways.first_rest_ms = 5;
    out.gateways.most_rest_ms = 40;
    out.gateways.patience_ms = 300;
    out.hedge_ms = 50;
    out.stall_ms = 1'000;
    out.chunks_a_read = 4;
    out.gateways.on_left = [this](const std::string& name, const gateway_client::refusal& why) {
      const std::lock_guard lock(mutex);
      left.push_back(name + ": " + std::string(to_text(why.reason)));
    };
    return out;
  }
  [[nodiscard]] bool has_left(const std::string& name, gateway_client::distrust why) {
    const std::lock_guard lock(mutex);
    return std::ranges::count(left, name + ": " + std::string(to_text(why))) > 0;
  }
};

/// A sink in memory, which counts how often each chunk came.
struct memory_sink {
  bytes data;
  std::vector<std::atomic<int>> times = std::vector<std::atomic<int>>(1'024);
  std::vector<bool> present;
  gateway_client::chunk_sink sink{
      [this](const gateway_client::blob_outline& what) {
        data.resize(what.size_bytes);
        auto here = present;
        here.resize(what.chunk_hashes.size());
        return here;
      },
      [this](std::uint32_t number, byte_view chunk) {
        ++times[number];
        std::ranges::copy(chunk, data.begin() + static_cast<std::ptrdiff_t>(number * chunk_size));
      },
      {}};
};

}  // namespace soma::test
