#include <pthread.h>

#include <memory>

#include "addon/addon.h"

namespace tsrun::addon {
namespace {

struct Job {
  Napi::Promise::Deferred deferred;
  Napi::ThreadSafeFunction done;
  const char* syscall;
  std::string subject;
  std::function<Outcome()> work;
  std::function<Napi::Value(Napi::Env, int)> settle;
  Outcome outcome;
};

void finish(Napi::Env env, Napi::Function, Job* raw) {
  std::unique_ptr<Job> job(raw);
  if (static_cast<napi_env>(env) == nullptr) return;  // the environment is being torn down
  Napi::HandleScope scope(env);
  if (job->outcome.error != 0) {
    job->deferred.Reject(errnoError(env, job->outcome.error, job->syscall, job->subject));
  } else {
    job->deferred.Resolve(job->settle(env, job->outcome.value));
  }
}

void* run(void* argument) {
  Job* job = static_cast<Job*>(argument);
  job->outcome = job->work();
  Napi::ThreadSafeFunction done = job->done;
  if (done.BlockingCall(job, finish) != napi_ok) delete job;
  done.Release();
  return nullptr;
}

}  // namespace

Napi::Promise inThread(Napi::Env env, const char* syscall, std::string subject, std::function<Outcome()> work,
                       std::function<Napi::Value(Napi::Env, int)> settle) {
  auto job = std::unique_ptr<Job>(new Job{Napi::Promise::Deferred::New(env),
                                          {},
                                          syscall,
                                          std::move(subject),
                                          std::move(work),
                                          std::move(settle),
                                          {}});
  const Napi::Promise promise = job->deferred.Promise();
  job->done = Napi::ThreadSafeFunction::New(env, Napi::Function(), "tsrun", 0, 1);

  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, 256 << 10);
  pthread_t thread;
  const int error = pthread_create(&thread, &attributes, run, job.get());
  pthread_attr_destroy(&attributes);
  if (error != 0) {
    job->done.Release();
    throwErrno(env, error, "pthread_create");
  }
  job.release();
  return promise;
}

}  // namespace tsrun::addon
