#include "actors/global_model/global_model.hpp"

#include <cmath>

#include "actors/global_model/session.hpp"
#include "actors/interface/describe_error.hpp"
#include "messages/crypto/random.hpp"
#include "messages/wire/refusals.hpp"

namespace soma::global_model {

const char* to_text(ask_refusal refusal) {
  switch (refusal) {
    case ask_refusal::none:
      return "done";
    case ask_refusal::empty_text:
      return "there is no text to go on: give at least one byte";
    case ask_refusal::no_models:
      return "the network has no active model";
    case ask_refusal::bad_request:
      return "the text is too long, or too much is asked for";
    case ask_refusal::scoring_failed:
      return "the experts could not be run";
  }
  return "unknown";
}

void fill_refusal(schema::Refusal::Builder out, ask_refusal refusal, std::string_view why) {
  out.setGlobalModel(schema_refusal<schema::GlobalModelRefusal>(refusal));
  out.setWhy(bounded_why(why.empty() ? to_text(refusal) : why));
}

namespace {

// ---- evaluation

class evaluation final : public session {
 public:
  using promise = caf::typed_response_promise<message<schema::Evaluation>>;
  evaluation(global_model_actor::pointer self, const global_model_ports& ports, promise to,
             const message<schema::Evaluate>& request)
      : session(self, ports), promise_(std::move(to)), request_(request) {}

  void start() {
    if (text().size() < 2) {
      return fail(ask_refusal::empty_text,
                  "there is no byte to predict from another: give at least two bytes");
    }
    if (request_.root().getExperts() == 0) return fail(ask_refusal::bad_request, {});
    find_experts(text(), request_.root().getExperts());
  }

 private:
  [[nodiscard]] byte_view text() const { return view_of(request_.root().getText()); }

  void fail(ask_refusal why, const std::string& text) override {
    promise_.deliver(message<schema::Evaluation>::build(
        [&](auto out) { fill_refusal(out.initRefusal(), why, text); }));
  }
  void begin() override { next_chunk(); }

  /// Evaluates the next chunk of the text. Chunks have max_seq bytes, as in scoring. The first byte
  /// of each chunk is given and the others are predicted.
  void next_chunk() {
    const auto chunk =
        text().subspan(done_, std::min<std::size_t>(ports_.max_seq, text().size() - done_));
    if (chunk.size() < 2) return finish();
    predict(chunk, done_, false,
            [me = std::static_pointer_cast<evaluation>(shared_from_this()), chunk](log_probs all) {
              for (std::size_t i = 0; i + 1 < chunk.size(); ++i) {
                me->mix(all, i);
                me->mixture_->observe(chunk[i + 1]);
              }
              me->done_ += chunk.size();
              me->next_chunk();
            });
  }

  void finish() {
    promise_.deliver(message<schema::Evaluation>::build([&](auto out) {
      out.setBytes(text().size());
      out.setPredicted(mixture_->bytes_seen());
      out.setBitsPerByte(mixture_->cost_bits() / static_cast<double>(mixture_->bytes_seen()));
      fill_shares(out.initShares(static_cast<unsigned>(experts_.size())), mixture_->shares());
    }));
  }

  promise promise_;
  message<schema::Evaluate> request_;
  std::size_t done_ = 0;
};

// ---- continuation

class continuation final : public session {
 public:
  using promise = caf::typed_response_promise<message<schema::Answer>>;
  continuation(global_model_actor::pointer self, const global_model_ports& ports, promise to,
               const message<schema::Ask>& request)
      : session(self, ports),
        promise_(std::move(to)),
        temperature_(request.root().getTemperatureMilli() / 1000.0),
        most_bytes_(request.root().getMostBytes()),
        experts_wanted_(request.root().getExperts()),
        text_(bytes_of(request.root().getText())),
        prompt_size_(text_.size()),
        random_(request.root().getSeed()) {}

  void start() {
    if (text_.empty()) return fail(ask_refusal::empty_text, {});
    if (most_bytes_ == 0 || most_bytes_ > max_written_bytes || experts_wanted_ == 0) {
      return fail(ask_refusal::bad_request, {});
    }
    find_experts(byte_view(text_).last(std::min(text_.size(), probe_bytes)), experts_wanted_);
  }

 private:
  void fail(ask_refusal why, const std::string& text) override {
    promise_.deliver(message<schema::Answer>::build(
        [&](auto out) { fill_refusal(out.initRefusal(), why, text); }));
  }

  [[nodiscard]] byte_view context() const {
    return byte_view(text_).last(std::min<std::size_t>(text_.size(), ports_.max_seq));
  }
  [[nodiscard]] std::shared_ptr<continuation> me() {
    return std::static_pointer_cast<continuation>(shared_from_this());
  }

  /// Lets the mixture observe the prompt first, so that an expert that predicts the prompt well has
  /// more weight from the first written byte on.
  void begin() override {
    const auto given = context();
    predict(given, text_.size() - given.size(), false, [me = me(), given](log_probs all) {
      for (std::size_t i = 0; i + 1 < given.size(); ++i) {
        me->mix(all, i);
        me->mixture_->observe(given[i + 1]);
      }
      me->shares_before_ = me->mixture_->shares();
      me->seen_before_ = me->mixture_->bytes_seen();
      me->write(all, given.size() - 1);
    });
  }

  void write(const log_probs& all, std::size_t position) {
    const auto byte = choose(mix(all, position));
    mixture_->observe(byte);
    text_.push_back(byte);
    if (ports_.on_byte) ports_.on_byte(byte);
    if (text_.size() - prompt_size_ == most_bytes_) return finish();
    const auto now = context();
    predict(now, text_.size() - now.size(), true,
            [me = me()](log_probs last) { me->write(last, 0); });
  }

  std::uint8_t choose(const mixture::byte_log_probs& mixed) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < mixed.size(); ++i) best = mixed[i] > mixed[best] ? i : best;
    if (temperature_ <= 0) return static_cast<std::uint8_t>(best);
    std::array<double, 256> weights;
    double sum = 0;
    for (std::size_t i = 0; i < 256; ++i) {
      weights[i] = std::exp((mixed[i] - mixed[best]) / temperature_);
      sum += weights[i];
    }
    auto point = static_cast<double>(random_.next_u64() >> 11) * 0x1p-53 * sum;
    for (std::size_t i = 0; i < 256; ++i) {
      point -= weights[i];
      if (point < 0) return static_cast<std::uint8_t>(i);
    }
    return static_cast<std::uint8_t>(best);
  }

  void finish() {
    // The shares of the written bytes alone are the shares of all bytes less those of the prompt.
    auto shares = mixture_->shares();
    const auto seen = static_cast<double>(mixture_->bytes_seen());
    const auto before = static_cast<double>(seen_before_);
    for (std::size_t i = 0; i < shares.size(); ++i) {
      shares[i] = (shares[i] * seen - shares_before_[i] * before) / (seen - before);
    }
    promise_.deliver(message<schema::Answer>::build([&](auto out) {
      out.setText(data_of(byte_view(text_).subspan(prompt_size_)));
      fill_shares(out.initShares(static_cast<unsigned>(experts_.size())), shares);
    }));
  }

  promise promise_;
  double temperature_;
  std::uint32_t most_bytes_;
  std::uint32_t experts_wanted_;
  bytes text_;
  std::size_t prompt_size_;
  crypto::seeded_random random_;
  std::vector<double> shares_before_;
  std::uint64_t seen_before_ = 0;
};

}  // namespace

global_model_actor::behavior_type global_model(global_model_actor::pointer self,
                                               global_model_ports ports) {
  name_exceptions(*self);
  return {[=](const message<schema::Ask>& request) {
            auto promise = self->make_response_promise<message<schema::Answer>>();
            std::make_shared<continuation>(self, ports, promise, request)->start();
            return promise;
          },
          [=](const message<schema::Evaluate>& request) {
            auto promise = self->make_response_promise<message<schema::Evaluation>>();
            std::make_shared<evaluation>(self, ports, promise, request)->start();
            return promise;
          }};
}

}  // namespace soma::global_model
