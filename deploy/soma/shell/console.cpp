#include "deploy/soma/shell/console.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "deploy/soma/shell/plain_text.hpp"
#include "deploy/soma/shell/report.hpp"
#include "deploy/soma/shell/units.hpp"
#include "messages/values/assert.hpp"

namespace soma::cli {
namespace {

int descriptor(stream where) {
  return where == stream::out ? STDOUT_FILENO : STDERR_FILENO;
}

std::string_view code(colour hue) {
  switch (hue) {
    case colour::plain:
      return "";
    case colour::bold:
      return "\x1b[1m";
    case colour::dim:
      return "\x1b[2m";
    case colour::red:
      return "\x1b[31m";
    case colour::green:
      return "\x1b[32m";
    case colour::yellow:
      return "\x1b[33m";
    case colour::cyan:
      return "\x1b[36m";
  }
  return "";
}

constexpr std::string_view all_codes[] = {"\x1b[0m",  "\x1b[1m",  "\x1b[2m", "\x1b[31m",
                                          "\x1b[32m", "\x1b[33m", "\x1b[36m"};

// The first `columns` columns of a line. Colour codes take no column and are never cut.
std::string clipped(std::string_view text, std::size_t columns) {
  if (shown_width(text) <= columns) return std::string(text);
  std::string out;
  std::size_t shown = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '\x1b') {
      const auto end = text.find('m', i);
      const auto length = end == std::string_view::npos ? text.size() - i : end + 1 - i;
      out += text.substr(i, length);
      i += length;
      continue;
    }
    const bool starts = (static_cast<unsigned char>(text[i]) & 0xc0U) != 0x80U;
    if (starts && ++shown > columns) break;
    out += text[i++];
  }
  if (out.find('\x1b') != std::string::npos) out += "\x1b[0m";
  return out;
}

/// The text as a person may see it. The codes of painted() stay where colours are shown; nothing
/// else that a terminal obeys does.
std::string shown_as(std::string (*made_plain)(std::string_view), std::string_view text,
                     stream where) {
  if (!has_colour(where) || text.find('\x1b') == std::string_view::npos) return made_plain(text);
  std::string out;
  while (!text.empty()) {
    std::string_view next = "";
    for (const auto painting : all_codes) {
      if (text.starts_with(painting)) next = painting;
    }
    if (!next.empty()) {
      out += next;
      text.remove_prefix(next.size());
      continue;
    }
    const auto size = std::min(text.find('\x1b', 1), text.size());
    out += made_plain(text.substr(0, size));
    text.remove_prefix(size);
  }
  return out;
}

std::string shown_line(std::string_view text, stream where) {
  return shown_as(plain_line, text, where);
}

std::string& done_for_good() {
  static std::string done;
  return done;
}

void write_out(const std::string& text) {
  std::clearerr(stdout);
  errno = 0;
  const bool is_written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (std::fflush(stdout) == 0 && is_written) return;
  if (errno == EPIPE) throw reader_gone("nobody reads the standard output");
  const auto& done = done_for_good();
  throw std::runtime_error("cannot write to the standard output" +
                           (done.empty() ? "" : ", but this is done: " + done));
}

bool is_numeric(std::string_view cell) {
  if (const auto colour_end = cell.find('m'); cell.starts_with('\x1b') && colour_end != cell.npos) {
    cell = cell.substr(colour_end + 1);
    cell = cell.substr(0, cell.find('\x1b'));
  }
  if (cell.empty() || cell == "-") return true;
  return cell.find_first_of("0123456789") != std::string_view::npos &&
         cell.find_first_not_of("0123456789.,+-%eE xkKMGTiB/smSOA") == std::string_view::npos &&
         !cell.starts_with("0x");
}

constexpr auto plain_interval = std::chrono::seconds(10);
constexpr auto redraw_interval = std::chrono::milliseconds(100);

}  // namespace

bool is_terminal(stream where) {
  return ::isatty(descriptor(where)) == 1;
}

bool has_colour(stream where) {
  // https://no-color.org: an empty value counts as not set.
  const char* no_colour = std::getenv("NO_COLOR");
  if (!is_terminal(where) || (no_colour != nullptr && *no_colour != '\0')) return false;
  const char* term = std::getenv("TERM");
  return term != nullptr && std::string_view(term) != "dumb";
}

std::size_t terminal_columns(stream where) {
  winsize size{};
  if (::ioctl(descriptor(where), TIOCGWINSZ, &size) != 0 || size.ws_col < 20) return 100;
  return size.ws_col;
}

std::string painted(std::string_view text, colour hue, stream where) {
  if (hue == colour::plain || !has_colour(where)) return std::string(text);
  return std::string(code(hue)) + std::string(text) + "\x1b[0m";
}

std::size_t shown_width(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      const auto end = text.find('m', i);
      if (end == std::string_view::npos) break;
      i = end;
    } else if ((static_cast<unsigned char>(text[i]) & 0xc0U) != 0x80U) {
      ++width;
    }
  }
  return width;
}

void print_line(std::string_view text) {
  write_out(shown_line(text, stream::out) + "\n");
}

void print_text(std::string_view text) {
  write_out(shown_as(plain_lines, text, stream::out) + "\n");
}

void print_part(std::string_view text) {
  write_out(shown_as(plain_lines, text, stream::out));
}

void remember_done(std::string_view done) {
  done_for_good() += (done_for_good().empty() ? "" : ", ") + std::string(done);
}

void announce_line(std::string_view text) {
  static bool is_noted = false;
  try {
    print_line(text);
  } catch (const std::runtime_error& error) {
    if (!std::exchange(is_noted, true)) note_line(std::string(error.what()) + "; the work goes on");
  }
}

void note_line(std::string_view text) {
  const auto line = shown_line(text, stream::err) + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void table::row(std::vector<std::string> cells) {
  SOMA_ASSERT(cells.size() == header_.size(), "a row has a cell for each column");
  for (auto& cell : cells) cell = shown_line(cell, stream::out);
  rows_.push_back(std::move(cells));
}

std::vector<std::string> table::lines(stream where) const {
  std::vector<std::string> header;
  for (const auto& cell : header_) header.push_back(shown_line(cell, stream::out));
  std::vector<std::size_t> widths;
  std::vector<bool> right;
  for (std::size_t c = 0; c < header_.size(); ++c) {
    auto width = shown_width(header[c]);
    bool numbers = !rows_.empty();
    for (const auto& row : rows_) {
      width = std::max(width, shown_width(row[c]));
      numbers = numbers && is_numeric(row[c]);
    }
    widths.push_back(width);
    right.push_back(numbers);
  }
  const auto join = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t c = 0; c < cells.size(); ++c) {
      const std::string blanks(widths[c] - shown_width(cells[c]), ' ');
      if (c > 0) line += "  ";
      line += right[c] ? blanks + cells[c] : cells[c] + blanks;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
  };
  std::vector<std::string> all{painted(join(header), colour::bold, where)};
  for (const auto& row : rows_) all.push_back(join(row));
  return all;
}

void table::print() const {
  for (const auto& line : lines(stream::out)) print_line(line);
}

void live_area::erase() {
  if (drawn_ > 0) std::fprintf(stderr, "\x1b[%zuA\r\x1b[J", drawn_);
  drawn_ = 0;
}

void live_area::draw(const std::vector<std::string>& lines) {
  const auto now = clock::now();
  if (is_terminal(stream::err)) {
    erase();
    const auto columns = terminal_columns(stream::err);
    for (const auto& line : lines) note_line(clipped(line, columns));
    drawn_ = lines.size();
    return;
  }
  if (printed_once_ && now - last_ < plain_interval) {
    held_back_ = lines;
    return;
  }
  for (const auto& line : lines) note_line(line);
  held_back_.clear();
  last_ = now;
  printed_once_ = true;
}

void live_area::finish() {
  for (const auto& line : held_back_) note_line(line);
  held_back_.clear();
  drawn_ = 0;
}

void live_area::clear() {
  if (is_terminal(stream::err)) erase();
  held_back_.clear();
}

progress_bar::progress_bar(std::string label, std::uint64_t total, std::string unit)
    : label_(std::move(label)), unit_(std::move(unit)), total_(total) {}

std::string progress_bar::line(std::uint64_t done, std::string_view suffix, double seconds) const {
  std::string text = label_;
  if (total_ > 0) {
    constexpr std::size_t cells = 24;
    const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total_));
    const auto full = static_cast<std::size_t>(share * cells);
    text += " [" + std::string(full, '=') + (full < cells ? ">" : "") +
            std::string(full < cells ? cells - full - 1 : 0, ' ') + "] " +
            decimal_text(share * 100, 0) + " %  " + count_text(done) + "/" + count_text(total_) +
            " " + unit_;
  } else {
    text += "  " + count_text(done) + " " + unit_;
  }
  const auto worked = static_cast<double>(done > first_done_ ? done - first_done_ : 0);
  const double rate = seconds > 0 ? worked / seconds : 0;
  if (rate > 0) {
    text += "  " + decimal_text(rate, rate < 10 ? 2 : 0) + " " + unit_ + "/s";
    if (total_ > done) {
      text += "  " + duration_text(static_cast<double>(total_ - done) / rate) + " left";
    }
  }
  if (!suffix.empty()) text += "  " + std::string(suffix);
  return text;
}

void progress_bar::update(std::uint64_t done, std::string_view suffix) {
  last_done_ = done;
  const auto now = clock::now();
  if (now - start_ < std::chrono::milliseconds(500)) return;  // work that ends soon shows no bar
  if (now - last_draw_ < redraw_interval) return;
  last_draw_ = now;
  area_.draw({line(done, suffix, std::chrono::duration<double>(now - start_).count())});
}

void progress_bar::finish(std::string_view suffix) {
  const double seconds = std::chrono::duration<double>(clock::now() - start_).count();
  area_.clear();
  if (seconds < 2) return;
  note_line(label_ + "  " + count_text(last_done_) + " " + unit_ + " in " + duration_text(seconds) +
            (suffix.empty() ? "" : "  " + std::string(suffix)));
}

}  // namespace soma::cli
