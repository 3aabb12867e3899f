// Requests and responses of HTTP/1.1 as plain values, for servers and clients alike.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "messages/values/bytes.hpp"
#include "storage/files/readable_file.hpp"

namespace soma::http {

enum class method : std::uint8_t { get, head, post, put, patch, delete_, options };
[[nodiscard]] std::string_view to_text(method verb);
[[nodiscard]] std::optional<method> parse_method(std::string_view text);

using name_values = std::vector<std::pair<std::string, std::string>>;

/// The first value with this name; nullopt when there is none.
[[nodiscard]] std::optional<std::string_view> find(const name_values& in, std::string_view name);

/// What a request says before its body.
struct request_head {
  method verb = method::get;
  std::string path;   // decoded UTF-8; it begins with '/', and no part of it is empty, "." or ".."
  name_values query;  // decoded UTF-8, in their order
  name_values headers;  // names in lower case
  std::string peer;     // the address of the client, without a port

  /// The value of a header, by its name in lower case.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const {
    return find(headers, name);
  }
  [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const {
    return find(query, name);
  }
};

struct request : request_head {
  bytes body;
};

using shared_bytes = std::shared_ptr<const bytes>;

/// A part of a file as a body. It is read when it is sent, a little at a time, so that a large body
/// takes no memory while its client is slow.
struct file_part {
  std::shared_ptr<const files::readable_file> file;  // nullptr: no part of a file
  std::uint64_t offset = 0;
  std::size_t size = 0;
};

struct response {
  unsigned status = 200;
  std::string content_type;  // none when empty
  name_values headers;       // beside those that the server writes itself
  shared_bytes body;         // nullptr: empty
  file_part file = {};       // of a server: the body, if it has a file

  [[nodiscard]] byte_view body_view() const { return body ? byte_view(*body) : byte_view(); }
  [[nodiscard]] std::size_t body_size() const { return file.file ? file.size : body_view().size(); }
};

[[nodiscard]] response make_response(unsigned status, std::string content_type,
                                     std::string_view body);

/// {"error": {"code": ..., "message": ...}}, with both texts escaped. Both must be UTF-8.
[[nodiscard]] response error_response(unsigned status, std::string_view code,
                                      std::string_view message);
/// The same with the header Retry-After, in seconds.
[[nodiscard]] response retry_response(unsigned status, std::string_view code,
                                      std::string_view message, std::uint32_t retry_after_s);

/// How the end of a response's body is found.
struct response_framing {
  std::optional<std::uint64_t> length;  // nullopt: by chunks, or by the end of the connection
  bool chunked = false;
  bool closes = false;  // the connection ends after the response
};
/// The status line and all headers. A header whose name or value could be read as something else
/// makes it nullopt: line breaks, control characters, or names that the server writes itself. The
/// headers in `common` follow those of the response.
[[nodiscard]] std::optional<std::string> serialize_head(const response& head,
                                                        const response_framing& framing,
                                                        const name_values& common = {});

}  // namespace soma::http
