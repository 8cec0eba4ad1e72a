-- claim_domains: makes domains a customer's, as far as they are nobody's or its own already; with `whole` all of them or none. A claim
-- has a mark: who gives a domain back says which claim it means, and one that was made since then stays.
-- keys: domain_owners domain_claims
-- args: customer domains mark whole
-- answers: claimed {taken fresh}
-- uses: view
local taken, fresh, own = {}, {}, {}
for _, domain in ipairs(args.domains) do
  local owner = redis.call('HGET', domain_owners, domain)
  if owner and owner ~= args.customer then
    taken[#taken + 1] = domain
  else
    own[#own + 1] = domain
    if not owner then
      fresh[#fresh + 1] = domain
    end
  end
end
if args.whole and #taken > 0 then
  return answer('claimed', {taken = taken, fresh = {}})
end
for _, domain in ipairs(own) do
  redis.call('HSET', domain_owners, domain, args.customer)
  redis.call('HSET', domain_claims, domain, args.mark)
end
return answer('claimed', {taken = taken, fresh = fresh})
