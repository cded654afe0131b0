/* Code that runs in the calling thread. */
#include "codegen/library/support/call.h"

#ifdef KILN_BARE
int32_t kiln_run_code(const Call *call, const Plan *plan, const int64_t *sizes, void **buffers, char *workspace, Answers *answers) {
  return (void)call, (void)sizes, (void)answers, plan->code->run((const kiln_rt *)0, buffers, plan->symbols, workspace + plan->scratch);
}
#else
int32_t kiln_run_code(const Call *call, const Plan *plan, const int64_t *sizes, void **buffers, char *workspace, Answers *answers) {
  const Handle *m = call->m;
  Pool *before = m->threads ? kiln_pool_use(m->threads) : 0;
  int32_t status = plan->code->run(m->services, buffers, plan->symbols, workspace + plan->scratch);
  if (m->threads) kiln_pool_use(before);
  return (void)sizes, (void)answers, status;
}
#endif
