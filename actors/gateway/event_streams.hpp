// The streams of events (server-sent events) that a gateway feeds. A stream has a filter and the
// place from which on it has not seen events. What must hold:
//   - A stream gets every event that its filter fits, once and in order, and the place of the last
//     one is its id. A stream that is cut can be resumed there without a gap.
//   - Streams that ask the same question share one answer, so that a thousand watchers of the tip
//     cost one question a block.
//   - A client that does not read gets no more questions asked for it; the server cuts it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "actors/http/exchange.hpp"
#include "messages/json/json.hpp"
#include "messages/values/blocks.hpp"
#include "messages/wire/role_messages.hpp"

namespace soma::gateway {

/// Where an event stands: HEIGHT:INDEX.
struct event_place {
  std::uint64_t height = 0;
  std::uint32_t index = 0;
  friend auto operator<=>(const event_place&, const event_place&) = default;
};
/// Reads "HEIGHT:INDEX".
[[nodiscard]] std::optional<event_place> parse_place(std::string_view text);

/// Whether blocks themselves are wanted, each behind its events: not, beside events, or alone.
enum class block_wish : std::uint8_t { none, too, only };

/// The question for the next page of events of one stream. Its place is set each time.
struct stream_filter {
  std::vector<schema::EventKind> kinds;
  bytes target, model, address;  // 32 bytes each, or empty
  block_wish blocks = block_wish::none;
  friend bool operator==(const stream_filter&, const stream_filter&) = default;
};
[[nodiscard]] message<schema::GetEvents> page_question(const stream_filter& filter,
                                                       const event_place& from, std::uint32_t most);

/// So many blocks are shown at one time.
inline constexpr std::uint32_t blocks_per_page = 128;
struct block_range {
  std::uint64_t first = 1;
  std::uint32_t count = 0;
};
/// The first blocks whose last events are in this page, which was asked for from `from` on.
[[nodiscard]] block_range blocks_in(const event_place& from,
                                    const message<schema::EventPage>& page);

/// What a page shows: its events as JSON, and the place from which on the next page is wanted.
struct shown_page {
  std::vector<json::value> events;
  event_place next;
  bool more = false;
};
[[nodiscard]] shown_page shown_in(const message<schema::EventPage>& page);
/// The same with blocks from `first` on. Where a block is missing, the page ends before it.
[[nodiscard]] shown_page shown_in(const message<schema::EventPage>& page, block_wish wish,
                                  std::uint64_t first, const std::vector<block_header>& blocks);

/// A page in the form of server-sent events.
[[nodiscard]] std::string page_text(const shown_page& page);

struct event_stream {
  http::body_stream to;
  stream_filter filter;
  event_place next;
  std::uint64_t written_ms = 0;  // when something was written last
  bool is_waiting = false;       // for an answer
};

class event_streams {
 public:
  /// A stream with more bytes than this on their way is asked for nothing.
  static constexpr std::size_t most_queued_bytes = 128 * 1024;
  /// Small pages, and one question at a time: whoever asks the gateway for something else waits for
  /// one page at most, however many streams read the past.
  static constexpr std::uint32_t events_per_page = 128;
  static constexpr std::size_t most_questions = 1;

  void add(event_stream stream) {
    all_.push_back(std::make_shared<event_stream>(std::move(stream)));
  }
  [[nodiscard]] std::size_t size() const { return all_.size(); }
  /// Forgets the streams whose client is gone.
  void forget_gone();

  /// Streams that have the same question, which has to be asked now.
  struct group {
    message<schema::GetEvents> question;
    std::vector<std::shared_ptr<event_stream>> streams;  // at least one
  };
  /// Groups the streams that have room and have not seen the block of this height yet. They wait
  /// for the answer from now on. There are no more groups than may still be asked, and all streams
  /// have their turn.
  [[nodiscard]] std::vector<group> due(std::uint64_t height);
  /// Gives an answer to the streams that asked for it.
  void take(const group& asked, const shown_page& page, std::uint64_t now_ms);
  /// What the streams want is not kept here any more. Their clients see that they were cut.
  void cut(const group& asked);
  /// No answer came. The streams ask again when the chain is looked at next.
  void give_up(const group& asked);
  /// Writes a comment to the streams that were silent for so long.
  void keep_alive(std::uint64_t now_ms, std::uint64_t silent_ms);

 private:
  std::vector<std::shared_ptr<event_stream>> all_;
  std::size_t asked_ = 0;  // questions without an answer yet
  std::size_t turn_ = 0;   // of the stream that is looked at first
};

}  // namespace soma::gateway
