-- amend: changes what administrators keep of a customer, all of it or nothing, together with its audit entry. A customer that is to
-- be deleted (`delete_at_ms` of its account) is looked after then.
-- keys: meta customers expiries account domains users extensions resources webhooks assignments audit
-- args: customer changes audit
-- answers: amended {} | stale {}
-- uses: guard audit changes deletion
if is_stale(audit) then
  return answer('stale')
end
apply({
  account = account, domains = domains, users = users, extensions = extensions, resources = resources, webhooks = webhooks,
  assignments = assignments,
})
schedule_deletion()
note_change(audit)
redis.call('SADD', customers, args.customer)
return answer('amended')
