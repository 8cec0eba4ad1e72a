-- release_domain: a domain of a customer is nobody's from now on. With a `mark` ("": it has none): if nobody has claimed it since then.
-- keys: domain_owners domain_claims
-- args: customer domain mark
-- answers: released {} | kept {}
-- uses: view
if redis.call('HGET', domain_owners, args.domain) ~= args.customer then
  return answer('kept')
end
if args.mark and (redis.call('HGET', domain_claims, args.domain) or '') ~= args.mark then
  return answer('kept')
end
redis.call('HDEL', domain_owners, args.domain)
redis.call('HDEL', domain_claims, args.domain)
return answer('released')
