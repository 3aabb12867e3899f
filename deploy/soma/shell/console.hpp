// What a person sees. Facts (tables, or one JSON document) go to stdout. Progress, live tables and
// notes go to stderr, so that a pipe gets facts only. Colours and lines that are redrawn in place
// appear on a terminal only; with NO_COLOR or TERM=dumb there are no colours.
#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace soma::cli {

enum class stream : std::uint8_t { out, err };
enum class colour : std::uint8_t { plain, bold, dim, red, green, yellow, cyan };

[[nodiscard]] bool is_terminal(stream where);
[[nodiscard]] bool has_colour(stream where);
/// Columns of the terminal; 100 if the stream is no terminal or it has fewer than 20 columns.
[[nodiscard]] std::size_t terminal_columns(stream where);

/// Returns `text` in a colour if the stream shows colours, else `text` unchanged.
[[nodiscard]] std::string painted(std::string_view text, colour hue, stream where);
/// Columns that `text` takes on a terminal: each UTF-8 character counts as one column, and colour
/// codes do not count.
[[nodiscard]] std::size_t shown_width(std::string_view text);

/// The reader of stdout is gone: whoever it was has seen enough, as `| head -1` has.
struct reader_gone : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// Writes `text` and a newline to stdout. Throws reader_gone if it is a pipe without a reader, and
/// std::runtime_error if stdout cannot be written for another reason, such as a full disk.
void print_line(std::string_view text);
/// The same without the newline and with newlines and tabs of `text`, so that a reader gets a text
/// while it is being made.
void print_part(std::string_view text);
/// Writes `text` and a newline to stdout for a service that goes on whatever becomes of its output.
/// The first failure is noted on stderr.
void announce_line(std::string_view text);
/// Writes `text` and a newline to stderr. Never fails.
void note_line(std::string_view text);

/// Rows of cells under a header. Columns of numbers are aligned on the right, others on the left.
class table {
 public:
  explicit table(std::vector<std::string> header) : header_(std::move(header)) {}
  /// Adds a row, which must have as many cells as the header.
  void row(std::vector<std::string> cells);
  [[nodiscard]] std::size_t rows() const { return rows_.size(); }
  /// Returns the lines without newlines and with two blanks between columns. The header is bold if
  /// the stream shows colours.
  [[nodiscard]] std::vector<std::string> lines(stream where = stream::out) const;
  /// Prints the lines to stdout.
  void print() const;

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

/// An area at the end of stderr that is redrawn in place. If stderr is no terminal, the lines are
/// written below each other, at most every ten seconds.
class live_area {
 public:
  live_area() = default;
  live_area(const live_area&) = delete;
  live_area& operator=(const live_area&) = delete;
  ~live_area() { finish(); }

  void draw(const std::vector<std::string>& lines);
  /// Ends the drawing: what was drawn last stays on the screen, and later output starts below it.
  /// If stderr is no terminal, it prints the lines that were held back.
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

/// A line that shows how far a long work has come:
///
///   label [=====>    ] 45 %  900/2,000 steps  31.2 steps/s  35 s left  suffix
class progress_bar {
 public:
  /// `total` is the amount of work in `unit`; 0 means unknown, and then neither the bar nor the
  /// time left is shown.
  progress_bar(std::string label, std::uint64_t total, std::string unit);
  /// Draws the line, at most ten times a second.
  void update(std::uint64_t done, std::string_view suffix = {});
  /// Says how much of a resumed work was done before; that part does not count towards the rate.
  void start_at(std::uint64_t first_done) { first_done_ = first_done; }
  /// Removes the line and prints a closing line with the time taken, unless the work took less than
  /// two seconds.
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
