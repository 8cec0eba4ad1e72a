-- amend: changes what administrators keep of a customer, all of it or nothing, together with its audit entry. A customer that is to
-- be deleted (`delete_at_ms` of its account) is looked after then. Invoice statements are only ever added: who would change or take
-- away one that was issued is refused (`kept`). With `creates` it may be a new customer; else one that is not there (any more) is
-- `unknown`: what was decided before it was forgotten does not bring it back.
-- keys: meta customers expiries account domains users extensions resources webhooks assignments audit invoices
-- args: customer changes audit creates
-- answers: amended {} | stale {} | kept {} | unknown {}
-- uses: guard audit changes deletion
if is_stale(audit) then
  return answer('stale')
end
local issued, others = {}, false
for _, change in ipairs(args.changes) do
  if change.place == 'invoices' then
    if not change.value or issued[change.field] or redis.call('HEXISTS', invoices, change.field) == 1 then
      return answer('kept')
    end
    issued[change.field] = true
  else
    others = true
  end
end
if others and not args.creates and redis.call('SISMEMBER', customers, args.customer) == 0 then
  return answer('unknown')
end
apply({
  account = account, domains = domains, users = users, extensions = extensions, resources = resources, webhooks = webhooks,
  assignments = assignments, invoices = invoices,
})
schedule_deletion()
note_change(audit)
if others then  -- a statement is also written of a customer that is just being deleted, and must not bring it back
  redis.call('SADD', customers, args.customer)
end
return answer('amended')
