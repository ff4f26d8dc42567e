#include <cstring>

#include "addon/addon.h"

namespace tsrun::addon {

Napi::Value errnoError(Napi::Env env, int error, const char* syscall, const std::string& subject) {
  // Not uv_err_name: libuv leaves out errors that only native code meets, such as ECHILD.
  const char* known = strerrorname_np(error);
  const std::string name = known != nullptr ? known : "E" + std::to_string(error);
  std::string message = name + ": " + strerror(error) + ", " + syscall;
  if (!subject.empty()) message += " '" + subject + "'";
  Napi::Error value = Napi::Error::New(env, message);
  value.Set("code", Napi::String::New(env, name));
  value.Set("errno", Napi::Number::New(env, error));
  value.Set("syscall", Napi::String::New(env, syscall));
  return value.Value();
}

void throwErrno(Napi::Env env, int error, const char* syscall, const std::string& subject) {
  throw Napi::Error(env, errnoError(env, error, syscall, subject));
}

std::string textOf(const Napi::Value& value) {
  std::string text = value.As<Napi::String>().Utf8Value();
  if (text.find('\0') != std::string::npos)
    throw Napi::TypeError::New(value.Env(), "a string contains a NUL byte");
  return text;
}

int intOf(const Napi::Value& value) {
  if (!value.IsNumber()) throw Napi::TypeError::New(value.Env(), "a number was expected");
  return value.As<Napi::Number>().Int32Value();
}

}  // namespace tsrun::addon
