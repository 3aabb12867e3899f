// What a person sees. Facts go to stdout (tables, or one JSON document); progress, live tables and
// notes go to stderr, so that a pipe gets facts only. Colour and redrawing happen on a terminal
// alone (never with NO_COLOR or TERM=dumb).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace soma::cli {

enum class stream : std::uint8_t { out, err };
enum class colour : std::uint8_t { plain, bold, dim, red, green, yellow, cyan };

[[nodiscard]] bool is_terminal(stream where);
[[nodiscard]] bool has_colour(stream where);
/// Columns of the terminal; 100 where there is none.
[[nodiscard]] std::size_t terminal_columns(stream where);

/// `text` in a colour if the stream shows colours, else `text`.
[[nodiscard]] std::string painted(std::string_view text, colour hue, stream where);
/// Columns that `text` takes on a terminal: UTF-8 characters count once, colour codes not at all.
[[nodiscard]] std::size_t shown_width(std::string_view text);

/// One line each; a newline is added. Throws std::runtime_error if stdout cannot be written (a full
/// disk, a closed pipe).
void print_line(std::string_view text);
void note_line(std::string_view text);

/// Rows of cells under a header. Columns of numbers line up on the right, others on the left.
class table {
 public:
  explicit table(std::vector<std::string> header) : header_(std::move(header)) {}
  /// As many cells as the header has.
  void row(std::vector<std::string> cells);
  [[nodiscard]] std::size_t rows() const { return rows_.size(); }
  /// The lines without newlines, two blanks between columns; the header bold where colours show.
  [[nodiscard]] std::vector<std::string> lines(stream where = stream::out) const;
  /// To stdout.
  void print() const;

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

/// An area at the end of stderr that is redrawn in place; without a terminal its lines appear every
/// ten seconds at most.
class live_area {
 public:
  live_area() = default;
  live_area(const live_area&) = delete;
  live_area& operator=(const live_area&) = delete;
  ~live_area() { finish(); }

  void draw(const std::vector<std::string>& lines);
  /// The last drawing stays on the screen; later output starts below it. Without a terminal prints
  /// what was held back.
  void finish();
  /// Removes the drawing from the screen.
  void clear();

 private:
  using clock = std::chrono::steady_clock;
  void erase();
  std::vector<std::string> held_back_;
  std::size_t drawn_ = 0;
  bool printed_once_ = false;
  clock::time_point last_{};
};

/// label [=====>    ] 45 %  900/2,000 steps  31.2 steps/s  35 s left  suffix
class progress_bar {
 public:
  /// `total` 0: unknown, no bar and no time left.
  progress_bar(std::string label, std::uint64_t total, std::string unit);
  /// Draws ten times a second at most. `first_done` of a resumed work does not count towards the
  /// rate.
  void update(std::uint64_t done, std::string_view suffix = {});
  void start_at(std::uint64_t first_done) { first_done_ = first_done; }
  /// One closing line with the time taken; nothing if the work took under two seconds.
  void finish(std::string_view suffix = {});

 private:
  using clock = std::chrono::steady_clock;
  [[nodiscard]] std::string line(std::uint64_t done, std::string_view suffix, double seconds) const;
  std::string label_, unit_;
  std::uint64_t total_ = 0, first_done_ = 0, last_done_ = 0;
  clock::time_point start_ = clock::now();
  clock::time_point last_draw_{};
  live_area area_;
};

}  // namespace soma::cli
