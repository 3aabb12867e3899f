#include "actors/gateway_client/blob_pull.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <thread>

#include "actors/gateway_client/gateway_answer.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/crypto/merkle.hpp"
#include "messages/wire/refusals.hpp"

namespace soma::gateway_client {
namespace {

using crypto::blob_chunk_bytes;

/// Threads that have nothing to do look again so often.
constexpr std::uint64_t look_ms = 10;

refusal lie(distrust reason, std::string detail) {
  return {reason, std::move(detail), std::nullopt};
}

class pull {
 public:
  pull(const blob_id& blob, std::optional<std::uint64_t> size_bytes,
       const std::vector<blob_gateway>& gateways, const chunk_sink& sink, pull_options options)
      : blob_(blob),
        size_bytes_(size_bytes),
        gateways_(gateways),
        sink_(sink),
        options_(std::move(options)),
        random_(options_.gateways.seed.value_or(crypto::system_random().next_u64())),
        sources_(gateways.size()),
        progress_ms_(now()) {}

  expected<blob_outline, pool_refusal> run() {
    std::vector<std::thread> threads;
    for (std::size_t g = 0; g < gateways_.size(); ++g) {
      for (std::size_t i = 0; i < gateways_[g].connections.size(); ++i) {
        threads.emplace_back([this, g, i] { work(g, gateways_[g].connections[i], i == 0); });
      }
    }
    watch();
    for (const auto& gateway : gateways_) {
      for (const auto& port : gateway.connections) {
        if (port.cancel) port.cancel();
      }
    }
    for (auto& thread : threads) thread.join();
    if (failure_) std::rethrow_exception(failure_);
    if (is_whole()) return std::move(*outline_);
    pool_refusal why;
    why.own = std::move(own_);
    for (std::size_t g = 0; g < gateways_.size(); ++g) {
      if (sources_[g].last) why.left.emplace_back(gateways_[g].name, *sources_[g].last);
    }
    return make_unexpected(std::move(why));
  }

 private:
  struct chunk {
    bool is_here = false;
    unsigned asked = 0;          // by so many connections at present
    std::uint64_t since_ms = 0;  // since when the present one has given nothing of its run
    std::size_t by = 0;          // the gateway that was asked last
  };
  struct source {
    std::uint32_t failures = 0;
    std::uint64_t rests_until_ms = 0;
    bool is_left_for_good = false;
    std::optional<refusal> last;
  };
  /// Chunks that follow each other.
  struct part {
    std::uint32_t first = 0, count = 0;
  };

  [[nodiscard]] std::uint64_t now() const { return options_.gateways.now_ms(); }
  [[nodiscard]] std::uint64_t end_of(std::uint32_t number) const {
    return std::min(outline_->size_bytes, (std::uint64_t{number} + 1) * blob_chunk_bytes);
  }

  /// Waits until all is here, or nothing more comes.
  void watch() {
    for (std::uint32_t told = UINT32_MAX;;) {
      std::uint32_t here = 0, all = 0;
      {
        const std::lock_guard lock(mutex_);
        const bool has_source =
            std::ranges::any_of(sources_, [](const source& one) { return !one.is_left_for_good; });
        const bool is_stopped = options_.is_stopped && options_.is_stopped();
        here = here_;
        is_over_ = is_over_ || is_whole() || !has_source || is_stopped || is_late();
        all = count();
      }
      if (all > 0 && sink_.progress && std::exchange(told, here) != here) sink_.progress(here, all);
      if (is_over_) return;
      options_.gateways.wait_ms(look_ms);
    }
  }

  /// Whether it is of no use to wait longer.
  [[nodiscard]] bool is_late() const {
    if (is_beginning_) return false;
    const auto passed_ms = now() - std::min(now(), progress_ms_);
    const bool all_rest = std::ranges::all_of(
        sources_, [](const source& one) { return one.is_left_for_good || one.failures > 0; });
    return passed_ms >= options_.stall_ms ||
           (all_rest && passed_ms >= options_.gateways.patience_ms);
  }

  [[nodiscard]] bool is_whole() const { return outline_ && here_ == chunks_.size(); }
  [[nodiscard]] std::uint32_t count() const { return static_cast<std::uint32_t>(chunks_.size()); }

  /// The next chunks for a connection of this gateway: those that nobody was asked for, and then
  /// those that another gateway keeps to itself for too long. nullopt: there is nothing to do now.
  [[nodiscard]] std::optional<part> take_part(std::size_t g) {
    const auto now_ms = now();
    const auto fits = [&](const chunk& one, bool is_hedge) {
      if (one.is_here) return false;
      if (!is_hedge) return one.asked == 0;
      return one.asked == 1 && (one.by != g || gateways_.size() == 1) &&
             now_ms >= one.since_ms + options_.hedge_ms;
    };
    // Towards the end the parts become small, so that nobody waits long for the last one.
    const auto left = count() - here_;
    const auto most = std::clamp<std::uint32_t>(
        left / static_cast<std::uint32_t>(2 * connections()), 1, options_.chunks_a_read);
    for (const bool is_hedge : {false, true}) {
      const auto from = is_hedge ? 0 : first_missing_;
      for (std::uint32_t i = from; i < count(); ++i) {
        if (!fits(chunks_[i], is_hedge)) continue;
        part found{i, 0};
        while (found.count < most && i < count() && fits(chunks_[i], is_hedge)) {
          auto& one = chunks_[i++];
          ++one.asked;
          one.since_ms = now_ms;
          one.by = g;
          ++found.count;
        }
        if (!is_hedge) first_missing_ = found.first + found.count;
        return found;
      }
    }
    return std::nullopt;
  }

  [[nodiscard]] std::size_t connections() const {
    std::size_t all = 0;
    for (const auto& one : gateways_) all += one.connections.size();
    return std::max<std::size_t>(all, 1);
  }

  void give_back(const part& done) {
    for (auto i = done.first; i < done.first + done.count; ++i) {
      --chunks_[i].asked;
      if (!chunks_[i].is_here) first_missing_ = std::min(first_missing_, i);
    }
  }

  /// Whether all that is left of a part has come from elsewhere.
  [[nodiscard]] bool is_needless(const part& of, std::uint32_t next) const {
    for (auto i = next; i < of.first + of.count; ++i) {
      if (!chunks_[i].is_here) return false;
    }
    return true;
  }

  /// Asks what the blob consists of. All gateways are asked at once, and the first proven answer
  /// counts, so that one that is silent keeps nobody waiting.
  void learn(std::size_t g, const blob_port& port) {
    auto read = read_outline(port.describe(blob_), blob_);
    {
      const std::lock_guard lock(mutex_);
      if (is_over_) return;
      if (!read) return leave(g, std::move(read.error()));
      sources_[g].failures = 0;
      if (outline_ || is_beginning_) return;
      if (size_bytes_ && read->size_bytes != *size_bytes_) {
        // The name of a blob binds its size, so no gateway is to blame.
        own_ = lie(distrust::wrong_description, "it has another size than was said");
        is_over_ = true;
        return;
      }
      is_beginning_ = true;
    }
    std::vector<bool> present;
    try {
      present = sink_.begin(*read);
    } catch (...) {
      return fail();
    }
    const std::lock_guard lock(mutex_);
    chunks_.resize(read->chunk_hashes.size());
    for (std::size_t i = 0; i < chunks_.size(); ++i) {
      chunks_[i].is_here = i < present.size() && present[i];
      here_ += chunks_[i].is_here ? 1 : 0;
    }
    outline_ = std::move(*read);
    progress_ms_ = now();
    is_beginning_ = false;
  }

  /// Ends the pull with the exception that is being handled.
  void fail() {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
    is_over_ = true;
  }

  void work(std::size_t g, const blob_port& port, bool is_first) {
    for (;;) {
      std::optional<part> mine;
      bool is_known = false, may_ask = false;
      {
        const std::lock_guard lock(mutex_);
        if (is_over_ || sources_[g].is_left_for_good) return;
        is_known = outline_.has_value();
        may_ask = now() >= sources_[g].rests_until_ms;
        if (is_known && may_ask) mine = take_part(g);
      }
      if (!is_known && is_first && may_ask) {
        learn(g, port);
        continue;
      }
      if (!mine) {
        options_.gateways.wait_ms(look_ms);
        continue;
      }
      try {
        auto why = read(*mine, port);
        const std::lock_guard lock(mutex_);
        give_back(*mine);
        if (why && !is_over_) leave(g, std::move(*why));
        if (!why) sources_[g].failures = 0;
      } catch (...) {
        return fail();
      }
    }
  }

  /// Reads a part. nullopt: all of it is here, or came from elsewhere.
  std::optional<refusal> read(const part& mine, const blob_port& port) {
    auto next = mine.first;
    const auto begin = std::uint64_t{mine.first} * blob_chunk_bytes;
    const auto end = end_of(mine.first + mine.count - 1);
    bytes gathered;
    std::optional<refusal> wrong;
    bool is_needless_now = false;
    const auto take = [&](byte_view piece) {
      while (!piece.empty() && next < mine.first + mine.count) {
        const auto size = end_of(next) - std::uint64_t{next} * blob_chunk_bytes;
        const auto more =
            piece.first(std::min<std::uint64_t>(piece.size(), size - gathered.size()));
        gathered.insert(gathered.end(), more.begin(), more.end());
        piece = piece.subspan(more.size());
        if (gathered.size() < size) break;
        if (crypto::chunk_hash(gathered) != outline_->chunk_hashes[next]) {
          wrong = lie(distrust::wrong_chunk, "chunk " + std::to_string(next));
          return false;
        }
        arrived(mine, next++, gathered);
        gathered.clear();
      }
      const std::lock_guard lock(mutex_);
      is_needless_now = is_over_ || is_needless(mine, next);
      return !is_needless_now;
    };
    const auto answer = port.read(blob_, begin, end - begin, take);
    if (wrong) return wrong;
    if (is_needless_now || next == mine.first + mine.count) return std::nullopt;
    if (!answer) return refusal_of(answer.error());
    return lie(distrust::other_answer, "fewer bytes than were asked for");
  }

  void arrived(const part& of, std::uint32_t number, byte_view data) {
    {
      const std::lock_guard lock(mutex_);
      for (auto i = number; i < of.first + of.count; ++i) chunks_[i].since_ms = now();
      if (std::exchange(chunks_[number].is_here, true)) return;  // it came from elsewhere
    }
    sink_.put(number, data);
    const std::lock_guard lock(mutex_);
    ++here_;
    progress_ms_ = now();
  }

  /// Like gateway_pool, which decides the same for one call at a time.
  void leave(std::size_t g, refusal why) {
    auto& one = sources_[g];
    const bool was_sound = one.failures == 0;
    const bool was_left = one.is_left_for_good;
    one.is_left_for_good = was_left || is_for_good(why.reason);
    one.failures = std::min(one.failures + 1, 16U);
    const auto rest = std::min<std::uint64_t>(
        std::uint64_t{options_.gateways.first_rest_ms} << (one.failures - 1),
        options_.gateways.most_rest_ms);
    one.rests_until_ms = now() + rest / 2 + random_.below(rest + 1);
    const bool is_news = was_sound || (one.is_left_for_good && !was_left);
    if (options_.gateways.on_left && is_news) options_.gateways.on_left(gateways_[g].name, why);
    one.last = std::move(why);
  }

  const blob_id blob_;
  const std::optional<std::uint64_t> size_bytes_;
  const std::vector<blob_gateway>& gateways_;
  const chunk_sink& sink_;
  const pull_options options_;
  crypto::seeded_random random_;

  std::mutex mutex_;  // guards the fields below
  std::vector<source> sources_;
  std::optional<blob_outline> outline_;  // never changes once it is known
  bool is_beginning_ = false;            // the sink looks at what it has
  std::vector<chunk> chunks_;            // none before the outline is known
  std::uint32_t here_ = 0;               // chunks that the sink has taken
  std::uint32_t first_missing_ = 0;      // no chunk before it waits to be asked for
  std::uint64_t progress_ms_ = 0;        // when the last chunk came
  std::atomic<bool> is_over_{false};
  std::exception_ptr failure_;
  std::optional<refusal> own_;
};

}  // namespace

expected<blob_outline, refusal> read_outline(const fetched& from, const blob_id& blob) {
  const auto read = read_plain<schema::BlobDescription>(from);
  if (!read) return make_unexpected(read.error());
  const auto root = read->root();
  if (is_refused(root.getRefusal())) {
    return make_unexpected(refusal{distrust::declined, {}, std::nullopt});
  }
  const auto hashes = view_of(root.getChunkHashes());
  blob_outline out;
  out.size_bytes = root.getSizeBytes();
  const auto chunks = crypto::chunk_count(out.size_bytes);
  if (chunks == 0 || chunks > UINT32_MAX || hashes.size() != 32 * chunks) {
    return make_unexpected(lie(distrust::wrong_description, "the hashes do not fit the size"));
  }
  for (std::size_t at = 0; at < hashes.size(); at += 32) {
    std::ranges::copy(hashes.subspan(at, 32), out.chunk_hashes.emplace_back().value.begin());
  }
  if (crypto::blob_root(out.size_bytes, out.chunk_hashes) != blob) {
    return make_unexpected(lie(distrust::wrong_description, {}));
  }
  return out;
}

expected<blob_outline, pool_refusal> pull_blob(const blob_id& blob,
                                               std::optional<std::uint64_t> size_bytes,
                                               const std::vector<blob_gateway>& gateways,
                                               const chunk_sink& sink, pull_options options) {
  options.gateways = with_defaults(std::move(options.gateways));
  return pull(blob, size_bytes, gateways, sink, std::move(options)).run();
}

}  // namespace soma::gateway_client
